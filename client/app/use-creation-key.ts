import { useRef } from "react";
import { randomText } from "#client/lib/random-text.ts";

/**
 * The idempotency key of a form: the same for the same input, so that a retry after a lost connection creates nothing
 * twice. It changes when the input changes or the form is opened again.
 */
export function useCreationKey(): (asked: unknown) => string {
  const last = useRef<{ asked: string; key: string }>(undefined);
  return (what) => {
    const asked = JSON.stringify(what);
    if (last.current?.asked !== asked) last.current = { asked, key: randomText() };
    return last.current.key;
  };
}
