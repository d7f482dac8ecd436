/** A module whose kinds cannot be told apart. */
import { z } from "zod";
import { defineKind } from "#server/index.ts";

const mail = () =>
  defineKind({ name: "mail", input: z.string(), output: z.null(), run: async () => null });

export const letters = mail();
export const parcels = mail();
