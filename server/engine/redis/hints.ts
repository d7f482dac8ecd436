/**
 * Hints over sharded pub/sub: one subscription for each stream that has listeners in this process. Scripts publish in the
 * same step as they store. Redis drops messages while a subscription is interrupted, so listeners receive an empty hint when
 * it is restored.
 */
import type { Nodes } from "./client.ts";
import type { Hint, StreamRef } from "#server/engine/contract.ts";
import { notify } from "#server/engine/notify.ts";
import { CredentialHintSchema } from "#shared/credential-hint.schema.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { followMoves } from "./follow-moves.ts";
import { decodeEvent } from "./records.ts";
import { openSubscriber } from "./subscriber.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface RedisHints {
  on(stream: StreamRef, listener: (hint: Hint) => void): Promise<() => void>;
  onCredential(listener: (hint: CredentialHint) => void): Promise<() => void>;
  /** Receives the id of the worker that got an order; empty: it may be any. */
  onOrder(listener: (worker: string) => void): Promise<() => void>;
  /** Hints of work that comes. */
  onWork(listener: () => void): Promise<() => void>;
  /** Pending subscriptions reject. */
  close(): void;
}

export function openRedisHints(nodes: Nodes, keys: Keys, tenants: TenantDirectory): RedisHints {
  /** Listeners by channel. */
  const listeners = new Map<string, Set<(text: string) => void>>();
  function tell(channel: string, text: string): void {
    const here = listeners.get(channel);
    if (here) notify(here, text);
  }
  const subscriber = openSubscriber(nodes, {
    message: tell,
    back: (channel) => tell(channel, ""),
  });

  async function join(channel: string, listener: (text: string) => void): Promise<() => void> {
    const here = listeners.get(channel) ?? new Set();
    listeners.set(channel, here);
    // A separate function for each call, so that a listener that is passed twice is called, and removed, twice.
    const registered = (text: string): void => listener(text);
    here.add(registered);
    function leave(): void {
      if (!here.delete(registered) || here.size > 0) return;
      listeners.delete(channel);
      subscriber.unsubscribe(channel);
    }
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  async function joinIn(
    tenant: string,
    stream: RecordStream,
    listener: (hint: Hint) => void,
  ): Promise<() => void> {
    const channelOf = (name: string) => `${keys.tenant(tenant)}:hint:${name}:${idOf(stream)}`;
    if (stream.stream === "batch") return join(channelOf("batch"), () => listener({}));
    const onEvent = (text: string) =>
      text === "" ? {} : { event: decodeEvent(stream.jobId, text) };
    if (stream.stream === "job") return join(channelOf("job"), (text) => listener(onEvent(text)));
    // The draft and the log lines end when their job's status changes, so watch both.
    const leaveOwn = join(channelOf(stream.stream), () => listener({}));
    const leaveJob = join(channelOf("job"), (text) => {
      if (onEvent(text).event?.type !== "progress") listener({});
    });
    const leaveBoth = async () => {
      const left = [leaveOwn, leaveJob].map(async (leave) => (await leave)());
      await Promise.allSettled(left);
    };
    try {
      await Promise.all([leaveOwn, leaveJob]);
    } catch (error) {
      await leaveBoth();
      throw error;
    }
    return () => void leaveBoth();
  }

  return {
    close: subscriber.close,
    onCredential: (listener) =>
      join(keys.credentialHints, (text) => listener(decodeCredentialHint(text))),
    onOrder: (listener) => join(keys.orderHints, listener),
    onWork: (listener) => join(keys.workHints, () => listener()),
    async on(stream, listener) {
      if (stream.stream === "presence") {
        const of = `${keys.tenant(stream.tenant)}:hint:presence:${stream.topic}`;
        return join(of, () => listener({}));
      }
      if (stream.stream !== "feed") {
        return followMoves({
          tenants,
          id: idOf(stream),
          join: (tenant) => joinIn(tenant, stream, listener),
          moved: () => listener({}),
        });
      }
      const channel = `${keys.tenant(stream.of.tenant)}:hint:feed:${ownerKey(stream.of)}`;
      return join(channel, () => listener({}));
    },
  };
}

/** A stream of one job or batch. */
type RecordStream = Exclude<StreamRef, { stream: "feed" | "presence" }>;

function idOf(ref: RecordStream): string {
  return ref.stream === "batch" ? ref.batchId : ref.jobId;
}

/** A text that this version does not know, and the empty one of a restored subscription, may be about any credential. */
function decodeCredentialHint(text: string): CredentialHint {
  try {
    return CredentialHintSchema.parse(JSON.parse(text));
  } catch {
    return { kind: "any" };
  }
}
