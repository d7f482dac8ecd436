/** How an ABORTED job ended, in words for people. Pure. */
import type { Job } from "#shared/job.ts";

export interface JobEnding {
  word: "Cancelled" | "Rejected" | "Failed";
  /** The note of who ended it, or why it failed. May be empty. */
  why: string;
  /** The same input will most likely fail again. */
  lasting: boolean;
}

/** Of these only another input helps: the page is what it is, or the writer cannot be had here. */
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

/** The error comes with the record, a moment after the event; until then the message alone has to tell. */
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
    // Too slow and too many are told with 408 and 429: later it may do.
    case "PAGE_STATUS":
      return /answered with status 4(?!08|29)\d\d/.test(message);
    case "PAGE_UNREACHABLE":
      return message.endsWith("its name is not known");
    default:
      return LASTING.has(code);
  }
}
