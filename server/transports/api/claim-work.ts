/** A call for work. It waits as a stream does: it counts as a connection of its user, and ends with the caller's credential. */
import type { z } from "zod";
import type { WorkAsked } from "#server/work/inputs.ts";
import { msLeft } from "#server/transports/callers/credential-end.ts";
import type { Work } from "#shared/work.ts";
import type { Call } from "./call.ts";

/** `left`: aborts when the client has left before the whole answer was sent. */
export async function claimWork(
  { principal, caller, context }: Call,
  asked: z.output<typeof WorkAsked>,
  left: () => AbortSignal,
): Promise<Work> {
  const { limits, clock, work, onCredentialEnd } = context;
  const release = await limits?.openForUser("user_connections", principal);
  const ended = new AbortController();
  const stop = onCredentialEnd?.(caller, () => ended.abort());
  try {
    const waitMs = Math.min(asked.waitMs, msLeft(caller, clock) ?? Infinity);
    return await work.claim(
      principal,
      { ...asked, waitMs },
      AbortSignal.any([left(), ended.signal]),
    );
  } finally {
    stop?.();
    release?.();
  }
}
