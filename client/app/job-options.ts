/** The options of a new job as texts of a form, their errors, and what they make. Pure. */
import type { QueueOptions } from "#shared/create-options.ts";
import { MAX_JOB_ATTEMPTS, MAX_START_DELAY_MS } from "#shared/limits.ts";

export interface OptionTexts {
  priority: string;
  /** As a field of the type `datetime-local` has it: in the person's time zone. */
  start: string;
  /** In minutes. */
  expires: string;
  attempts: string;
}

export type OptionErrors = Partial<Record<keyof OptionTexts, string>>;

export const NO_OPTIONS: OptionTexts = { priority: "0", start: "", expires: "", attempts: "" };

const MINUTE_MS = 60_000;
const MAX_MINUTES = MAX_START_DELAY_MS / MINUTE_MS;

/** Empty fields make no option. `now`: in ms. */
export function readOptions(
  texts: OptionTexts,
  now: number,
): { options: QueueOptions } | { errors: OptionErrors } {
  const options: QueueOptions = {};
  const errors: OptionErrors = {};
  if (texts.priority !== "0") options.priority = Number(texts.priority);
  if (texts.start !== "") {
    const runAt = new Date(texts.start);
    const delay = runAt.getTime() - now;
    if (Number.isNaN(delay)) errors.start = "Is no date with a time";
    else if (delay > MAX_START_DELAY_MS) errors.start = "Must be within a year";
    else options.runAt = runAt;
  }
  const minutes = wholeNumber(texts.expires, MAX_MINUTES);
  if (typeof minutes === "string") errors.expires = minutes;
  else if (minutes !== undefined) options.expiresInMs = minutes * MINUTE_MS;
  const attempts = wholeNumber(texts.attempts, MAX_JOB_ATTEMPTS);
  if (typeof attempts === "string") errors.attempts = attempts;
  else if (attempts !== undefined) options.maxAttempts = attempts;
  return Object.keys(errors).length > 0 ? { errors } : { options };
}

/** An error as text. */
function wholeNumber(text: string, most: number): number | string | undefined {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  const fits = Number.isInteger(number) && number >= 1 && number <= most;
  return fits ? number : `Must be a whole number from 1 to ${most}`;
}
