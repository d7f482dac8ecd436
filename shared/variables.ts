/**
 * Environment variables: how each is read, and its text in docs/configuration.md. Engines, kinds and applications declare
 * their own.
 */
import { z } from "zod";

export interface Variable {
  schema: z.ZodType<unknown, string>;
  /** The text that stands for an unset variable. */
  default?: string;
  /** The text for docs/configuration.md when there is no default. */
  unset?: string;
  about: string;
}

export type Variables = Readonly<Record<string, Variable>>;

/** A value for each variable; `undefined` for those without a default that are not set. */
export type SettingsOf<V extends Variables> = {
  -readonly [N in keyof V]: V[N] extends { default: string }
    ? z.output<V[N]["schema"]>
    : z.output<V[N]["schema"]> | undefined;
};

export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, error)
    .transform(Number)
    .refine((n) => n >= min && n <= max, error);
}

export const flag = z
  .enum(["true", "false", "1", "0"], "must be true or false")
  .transform((text) => text === "true" || text === "1");

/** `error`: what is allowed, such as "must be letters and digits". */
export function textLike(pattern: RegExp, error: string) {
  return z.string().regex(pattern, error);
}

export const text = z.string().min(1);

/** Pasted keys bring line ends along, which no header can carry. */
export const key = z
  .string()
  .trim()
  .regex(/^[!-~]+$/, "must be a key without spaces in it");

export function address(protocol: RegExp, error: string) {
  return z.url({ protocol, error });
}

/** Commas between, and spaces where people like them. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
