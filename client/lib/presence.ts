/** Presence, as a program follows it. */
import type { TRPCClient } from "@trpc/client";
import type { ApiRouter } from "#shared/api.ts";
import type { PresenceWatch } from "#shared/api-inputs.ts";
import type { Presence, PresenceOf } from "#shared/presence.ts";
import type { Closing } from "./closing.ts";
import { type Handlers, SubscriptionIterator } from "./subscription-iterator.ts";
import { untilClosed } from "./until-closed.ts";

export interface WatchingPresence {
  /** Ends the iteration, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** `false`: watches without being seen. */
  visible?: boolean | undefined;
}

/** The states of it, the present one first, each with all that is to be known. */
export type WatchPresence = (
  of?: PresenceOf,
  options?: WatchingPresence,
) => AsyncIterableIterator<Presence, undefined>;

export function createWatchPresence(
  trpc: TRPCClient<ApiRouter>,
  device: string,
  closing: Closing,
): WatchPresence {
  return (of = {}, { signal, visible } = {}) => {
    const open = untilClosed<Presence>(closing.signal, (lastEventId, handlers) =>
      subscribeToPresence(trpc, of, { lastEventId, visible, device }, handlers),
    );
    return new SubscriptionIterator(open, { signal });
  };
}

export function subscribeToPresence(
  trpc: TRPCClient<ApiRouter>,
  { jobId, batchId }: PresenceOf,
  watching: PresenceWatch,
  handlers: Handlers<Presence>,
): { unsubscribe(): void } {
  if (jobId !== undefined) return trpc.job.onPresence.subscribe({ jobId, ...watching }, handlers);
  if (batchId === undefined) return trpc.presence.onUpdate.subscribe(watching, handlers);
  return trpc.batch.onPresence.subscribe({ batchId, ...watching }, handlers);
}

interface Typing {
  count: number;
  people: readonly string[];
}

/** `isTyping`: in this tab. `user`, if it is known, may also write in another tab. */
export function othersWhoType(
  { count, people }: Typing,
  { user, isTyping }: { user: string | undefined; isTyping: boolean },
): Typing {
  const others = people.filter((each) => each !== user);
  const isNamed = others.length < people.length;
  // Beyond the people who are named, this user may be one of those who are only counted.
  const isCounted = isNamed || (isTyping && count > people.length);
  return { count: isCounted ? count - 1 : count, people: others };
}
