/** Errors of articles that a retry does not fix: the page or the missing writer stays the same. Pure. */
import type { Job } from "#shared/job.ts";

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

export function isLasting({ code, message }: NonNullable<Job["error"]>): boolean {
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
