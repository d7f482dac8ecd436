/** Keeps a subscription to a job or batch in the tenant in which it is. */
import type { TenantDirectory } from "./tenant-directory.ts";

interface FollowOptions {
  tenants: Pick<TenantDirectory, "of" | "onMove">;
  id: string;
  join: (tenant: string) => Promise<() => void>;
  /** Called after a move, once it has joined there: it may have missed messages. */
  moved: () => void;
}

/** Rejects if the first join does. The returned function leaves. A job or batch that does not exist is not joined. */
export async function followMoves({
  tenants,
  id,
  join,
  moved,
}: FollowOptions): Promise<() => void> {
  let joined: { tenant: string; leave: () => void } | undefined;
  let isWanted = true;
  /** The end of the newest call of `joinNewest`. They do not overlap. */
  let joining = Promise.resolve();

  async function joinNewest(): Promise<void> {
    const tenant = await tenants.of(id);
    if (!isWanted || tenant === undefined || tenant === joined?.tenant) return;
    const leave = await join(tenant);
    const before = joined;
    joined = { tenant, leave };
    before?.leave();
    if (!isWanted) leave();
    else if (before) moved();
  }

  function joinNext(): Promise<void> {
    const next = joining.then(joinNewest);
    // Where it fails after a move, the watch finds what is new by its regular reads.
    joining = next.catch(() => undefined);
    return next;
  }

  const unlisten = tenants.onMove(id, () => void joinNext().catch(() => undefined));
  function leave(): void {
    isWanted = false;
    unlisten();
    joined?.leave();
  }
  try {
    await joinNext();
  } catch (error) {
    leave();
    throw error;
  }
  if (joined === undefined) leave();
  return leave;
}
