/** A module of a team: two kinds, one of them in a list too. */
import { z } from "zod";
import { defineKind } from "#server/index.ts";

export const sum = defineKind({
  name: "sum",
  input: z.array(z.int()),
  output: z.int(),
  run: async ({ input }) => input.reduce((total, each) => total + each, 0),
});

export const echo = defineKind({
  name: "echo",
  input: z.string(),
  output: z.string(),
  run: async ({ input }) => input,
});

export default [echo];
