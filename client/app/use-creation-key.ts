import { useRef } from "react";

/**
 * Gives the key of what a form asks for: the same for the same, so that asking again after a broken connection makes
 * nothing twice; another one once the form asks for something else, or is opened anew.
 */
export function useCreationKey(): (asked: unknown) => string {
  const last = useRef<{ asked: string; key: string }>(undefined);
  return (what) => {
    const asked = JSON.stringify(what);
    if (last.current?.asked !== asked) last.current = { asked, key: newKey() };
    return last.current.key;
  };
}

/** `randomUUID` is for secure contexts only, and a server in the house may not be one. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
