/** How an `ABORTED` job ended, in words for people. Pure. */
import type { Job } from "#shared/job.ts";

export interface JobEnding {
  word: "Cancelled" | "Rejected" | "Failed";
  /** The note of the person who ended it, or the reason of the failure. May be empty. */
  why: string;
  /** True where the same input will most likely fail again. */
  lasting: boolean;
}

/** Errors that a retry does not fix: the page or the missing writer stays the same. */
const LASTING = new Set([
  "LLM_NOT_CONFIGURED",
  "LLM_REFUSED",
  "PAGE_BAD_ADDRESS",
  "PAGE_EMPTY",
  "PAGE_NOT_HTML",
  "PAGE_PRIVATE_ADDRESS",
  "PAGE_TOO_COMPLEX",
  "PAGE_TOO_LARGE",
  "PAGE_TOO_MANY_REDIRECTS",
]);

const BY_A_PERSON = [
  { word: "Cancelled", code: "CANCELLED" },
  { word: "Rejected", code: "REJECTED" },
] as const;

/** The error arrives with the record, shortly after the event; until then the message alone must decide. */
export function endingOf({ message, error }: Pick<Job, "message" | "error">): JobEnding {
  for (const { word, code } of BY_A_PERSON) {
    const [, why] = new RegExp(`^${word}(?:$|: ([^]*))`).exec(message) ?? [undefined, null];
    if (why !== null && (error === null || error.code === code)) {
      return { word, why: why ?? "", lasting: false };
    }
  }
  return { word: "Failed", why: message, lasting: error !== null && isLasting(error) };
}

function isLasting({ code, message }: NonNullable<Job["error"]>): boolean {
  switch (code) {
    // 408 (timeout) and 429 (too many requests) may pass.
    case "PAGE_STATUS":
      return /answered with status 4(?!08|29)\d\d/.test(message);
    case "PAGE_UNREACHABLE":
      return message.endsWith("its name is not known");
    default:
      return LASTING.has(code);
  }
}
