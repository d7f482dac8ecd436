/** A page that was opened by a share link shows one job or batch, and offers nothing to do with it. */
import { createContext, useContext, useEffect } from "react";
import type { Failed } from "#client/lib/client.ts";

interface ReadOnly {
  /** The link was switched off or has expired. */
  onEnded: () => void;
}

/** Absent on pages of people who may do more. */
export const ReadOnlyContext = createContext<ReadOnly | undefined>(undefined);

/** True on a page that was opened by a share link. Tells it of an error that means that the link has ended. */
export function useReadOnly(error: Failed | null = null): boolean {
  const readOnly = useContext(ReadOnlyContext);
  const hasEnded = error?.code === "UNAUTHENTICATED" || error?.code === "TOKEN_EXPIRED";
  useEffect(() => {
    if (hasEnded) readOnly?.onEnded();
  }, [readOnly, hasEnded]);
  return readOnly !== undefined;
}
