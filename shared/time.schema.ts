import { z } from "zod";

/** A `Date`, or how JSON has one. */
export const TimeSchema = z.union([z.date(), z.iso.datetime().transform((text) => new Date(text))]);
