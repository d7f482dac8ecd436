/** Kinds without `run`: workers of other programs run their jobs, over the API (`docs/workers.md`). */
import type { AnyKind } from "./define.ts";

/** The names of those kinds. */
export function remoteKinds(kinds: ReadonlyMap<string, AnyKind>): ReadonlySet<string> {
  return new Set([...kinds].filter(([, { remote }]) => remote).map(([name]) => name));
}
