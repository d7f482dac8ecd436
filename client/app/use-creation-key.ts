import { useRef } from "react";

/**
 * The idempotency key of a form: the same for the same input, so that a retry after a lost connection creates nothing
 * twice. It changes when the input changes or the form is opened again.
 */
export function useCreationKey(): (asked: unknown) => string {
  const last = useRef<{ asked: string; key: string }>(undefined);
  return (what) => {
    const asked = JSON.stringify(what);
    if (last.current?.asked !== asked) last.current = { asked, key: newKey() };
    return last.current.key;
  };
}

/** `crypto.randomUUID` needs a secure context, and a server on a local network may lack one. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
