/** Checks of the headers of ordinary answers: the clock of the server, and caches on the way. */
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import type { Answer } from "./ask.ts";

/** The header has whole seconds. */
const FAR_MS = 3000;
const VERY_FAR_MS = 60_000;

/** `received`: this machine's time when the answer had come. A cache may have kept the header. */
export function checkClock({ headers, ms }: Answer, received: Date): Finding {
  const name = "clock";
  const there = Date.parse(headers.date ?? "");
  if (Number.isNaN(there)) return skip(name, "the answers have no Date");
  if (headers.age !== undefined) return skip(name, "a cache answers, so its Date says nothing");
  const ahead = there - (received.getTime() - ms / 2);
  if (Math.abs(ahead) <= FAR_MS) return ok(name, "within some seconds of this machine's");
  const found = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`;
  const advice = [
    "Set both by NTP: tokens are refused before and after their time.",
    "docs/troubleshooting.md#clocks-differ",
  ] as const;
  return Math.abs(ahead) > VERY_FAR_MS ? fail(name, found, advice) : warn(name, found, advice);
}

const HIT = /\bhit\b/i;

/** Paths for which no cache may answer: health, the page, and calls, which are each caller's own. */
export const UNCACHED = ["/healthz", "/", "/trpc/system.info"] as const;

/** The answers for `UNCACHED`, in that order. */
export function checkCaches(answers: readonly Answer[]): Finding {
  const name = "caches";
  const found = UNCACHED.filter((_path, index) => isKept(answers[index]?.headers ?? {}));
  if (found.length > 0) {
    return fail(name, `a cache on the way answers for ${found.join(" and ")}`, [
      "Cache nothing but /assets/: an old page and an old state would be shown.",
      "docs/cdn.md#caching",
    ]);
  }
  const page = answers[1];
  const control = page?.headers["cache-control"] ?? "";
  if (page?.status === 200 && !/no-cache|no-store|max-age=0/.test(control)) {
    return warn(name, `the page has Cache-Control: ${control === "" ? "nothing" : control}`, [
      "The proxy changes the header: the server sends no-cache.",
      "docs/cdn.md#caching",
    ]);
  }
  return ok(name, "none answers for the server");
}

function isKept(headers: Answer["headers"]): boolean {
  const marks = [headers["x-cache"], headers["cf-cache-status"]].flat();
  return Number(headers.age ?? 0) > 0 || marks.some((mark) => HIT.test(mark ?? ""));
}
