/** Arguments of several verbs, as people write them. */
import type { z } from "zod";
import { UsageError } from "./usage-error.ts";

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^([1-9]\d{0,8})([smhd])$/;
/** About ten years: beyond it an argument is a slip. */
const MAX_DURATION_MS = 3660 * UNIT_MS.d;

/** `15m` in milliseconds; `undefined` if the text is no duration. Throws `UsageError` beyond the limit. */
function durationOf(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined) return undefined;
  const ms = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (ms > MAX_DURATION_MS) throw new UsageError(`${text} is more than ten years.`);
  return ms;
}

export function parseDuration(option: string, text: string): number {
  const ms = durationOf(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`${option} must be a duration such as 30s, 15m, 12h or 90d, not "${text}".`);
}

const DATE = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/;

/** A duration from `now`, or a date: `90d`, `2027-01-31` (UTC) or `2027-01-31T18:00:00+01:00`. */
export function parseEnd(option: string, text: string, now: Date): Date {
  const ms = durationOf(text);
  if (ms !== undefined) return new Date(now.getTime() + ms);
  const end = DATE.test(text) ? new Date(text) : undefined;
  // A day that a month does not have becomes one of the next month.
  const exists = end !== undefined && !Number.isNaN(end.getTime());
  if (exists && (text.length > 10 || end.toISOString().startsWith(text))) return end;
  throw new UsageError(
    `${option} must be a duration such as 90d, or a date such as 2027-01-31 or 2027-01-31T18:00:00Z, not "${text}".`,
  );
}

/** Scopes may also stand in one argument, with commas or spaces between. */
export function splitScopes(given: readonly string[]): string[] {
  return given.flatMap((text) => text.split(/[\s,]+/)).filter((scope) => scope !== "");
}

/** Throws `UsageError` with the option that is at fault. */
export function checkArguments<T>(schema: z.ZodType<T>, values: unknown): T {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [field] = issue?.path ?? [];
  const option = field === undefined ? "an argument" : (OPTION_OF[String(field)] ?? String(field));
  throw new UsageError(`${option}: ${issue?.message ?? "is not valid"}.`);
}

/** Names of fields that options have in another form. */
const OPTION_OF: Readonly<Record<string, string>> = {
  tenant: "--tenant",
  user: "--user",
  scopes: "--scope",
  label: "--label",
  expiresAt: "--expires",
  sub: "--sub",
  tokenId: "--token-id",
};
