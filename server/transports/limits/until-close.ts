/** Counts something off when what it belongs to has closed. */
import type { Release } from "#server/limits/open.ts";

/** A socket or a response. */
interface Closing {
  readonly destroyed?: boolean;
  once(event: "close", listener: () => void): unknown;
}

/** `release` is called once, and at once if it has closed already. */
export function releaseOnClose(closing: Closing, release: Release): void {
  if (closing.destroyed === true) release();
  else closing.once("close", release);
}
