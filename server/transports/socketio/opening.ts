/** Opens a stream for subscriptions, together with its wire encoding. */
import { PROCEDURES, refusalFor } from "#server/auth/permissions.ts";
import type { PresenceService } from "#server/presence/open.ts";
import type { Stream, Streams } from "#server/streams/open.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { Clock } from "#shared/clock.ts";
import type { JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { isSettled } from "#shared/job.ts";
import {
  type LegacyIds,
  legacyOfBatch,
  legacyOfFeed,
  legacyOfJob,
  legacyOfPresence,
  presenceIdsOf,
} from "#shared/legacy.ts";
import { type Presence, presenceOf, type PresenceTopic } from "#shared/presence.ts";
import type { Principal } from "#shared/principal.ts";
import type { SessionStreamRef } from "#shared/stream-ref.ts";
import { createEncoder, type Encoder, type PacketOf } from "./packet.ts";
import type { Restored } from "./subscription.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Returns the stream's id under its legacy field name. */
export function idsOf(ref: SessionStreamRef): LegacyIds {
  switch (ref.stream) {
    case "job":
      return { job_id: ref.jobId };
    case "batch":
      return { batch_id: ref.batchId };
    case "feed":
      return ref.allOwners ? { feed: true, all_owners: true } : { feed: true };
    case "presence":
      return { presence: true, ...presenceIdsOf(presenceOf(ref.topic)) };
  }
}

/** Opens a stream at most once, possibly before a subscription needs it. */
class Opening<T> {
  readonly #make: () => Promise<Stream<T>>;
  readonly #encoder: Encoder<T>;
  readonly #startsOver: boolean;
  #made: Promise<Stream<T>> | undefined;

  constructor(make: () => Promise<Stream<T>>, encoder: Encoder<T>, startsOver = false) {
    this.#make = make;
    this.#encoder = encoder;
    this.#startsOver = startsOver;
  }

  /** Rejects with `NOT_FOUND` if the principal may not watch the stream. */
  open(): Promise<Stream<T>> {
    return (this.#made ??= this.#make());
  }

  addTo(subscriptions: Subscriptions, key: string, restored?: Restored): Promise<void> {
    return subscriptions.add(key, {
      open: () => this.open(),
      encoder: this.#encoder,
      startsOver: this.#startsOver,
      restored,
    });
  }
}

export type AnyOpening = Pick<Opening<unknown>, "addTo"> & { open(): Promise<unknown> };

export interface OpeningsOptions {
  streams: Streams;
  presence: Pick<PresenceService, "watch">;
  clock: Pick<Clock, "now">;
  packetOf: PacketOf;
}

/** All connections of an encoding share the encoders, and so the serialised packets. */
export function createOpenings({ streams, presence, clock, packetOf }: OpeningsOptions) {
  const jobs = createEncoder<JobEvent>(packetOf, legacyOfJob, ({ status, seq }) =>
    isSettled(status) ? seq : undefined,
  );
  const batches = createEncoder<BatchAggregate>(packetOf, legacyOfBatch);
  const feeds = createEncoder<FeedEntry>(packetOf, (entry) => legacyOfFeed(entry, clock.now()));
  const people = createEncoder<Presence>(packetOf, legacyOfPresence);
  const follow = { follow: true };
  /** `device`: identifies a caller that has no user id of its own. */
  return (principal: Principal, ref: SessionStreamRef, device: string): AnyOpening => {
    switch (ref.stream) {
      case "job":
        return new Opening(() => streams.job(principal, ref.jobId, follow), jobs);
      case "batch":
        return new Opening(() => streams.batch(principal, ref.batchId, follow), batches);
      case "feed": {
        const { allOwners } = ref;
        // Its newest entry is one job of many.
        return new Opening(() => streams.feed(principal, { allOwners }), feeds, true);
      }
      case "presence":
        return new Opening(async () => {
          const refusal = refusalFor(principal, PROCEDURES, procedureOf(ref.topic));
          if (refusal !== undefined) throw refusal;
          return presence.watch(principal, presenceOf(ref.topic), { device });
        }, people);
    }
  };
}

/** The procedure that shows the same: what it needs depends on the topic, unlike what other events need. */
function procedureOf(topic: PresenceTopic): string {
  if (topic === "tenant") return "presence.onUpdate";
  return topic.startsWith("job:") ? "job.onPresence" : "batch.onPresence";
}
