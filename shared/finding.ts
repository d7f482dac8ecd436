/** Findings of `jobwire doctor`. Engines report those about their own data. */

/** `skip`: it could not be checked, or needs something that was not given. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

/** A heading of a page of the documentation: `docs/operations.md#backup`. */
export type DocSection = `docs/${string}.md#${string}`;

export interface Finding {
  /** The name of what was checked: `redis memory`. */
  check: string;
  verdict: Verdict;
  /** For people. Never a secret. */
  found: string;
  /** The next thing to do. */
  remedy?: string;
  doc?: DocSection;
}

export function ok(check: string, found: string): Finding {
  return { check, verdict: "ok", found };
}

/** `found` says why it was not checked. */
export function skip(check: string, found: string): Finding {
  return { check, verdict: "skip", found };
}

/** The next thing to do, and the section that says more. */
export type Advice = readonly [remedy: string, doc: DocSection];

/** The server works, and something will go wrong, or is not what operators usually want. */
export function warn(check: string, found: string, [remedy, doc]: Advice): Finding {
  return { check, verdict: "warn", found, remedy, doc };
}

/** The server does not start, does not serve some of its clients, or loses data. */
export function fail(check: string, found: string, [remedy, doc]: Advice): Finding {
  return { check, verdict: "fail", found, remedy, doc };
}
