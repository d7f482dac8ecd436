/** Opens a stream for subscriptions, together with its wire encoding. */
import { PROCEDURES, refusalFor } from "#server/auth/permissions.ts";
import type { PresenceService } from "#server/presence/open.ts";
import type { Stream, Streams } from "#server/streams/open.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import {
  type LegacyIds,
  legacyOfBatch,
  legacyOfJob,
  legacyOfPresence,
  presenceIdsOf,
} from "#shared/legacy.ts";
import { type Presence, presenceOf, type PresenceTopic } from "#shared/presence.ts";
import type { Principal } from "#shared/principal.ts";
import type { SessionStreamRef } from "#shared/stream-ref.ts";
import { createEncoder, type Encoder } from "./packet.ts";
import type { Restored } from "./subscription.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Returns the stream's id under its legacy field name. */
export function idsOf(ref: SessionStreamRef): LegacyIds {
  if (ref.stream === "presence") return { presence: true, ...presenceIdsOf(presenceOf(ref.topic)) };
  return ref.stream === "job" ? { job_id: ref.jobId } : { batch_id: ref.batchId };
}

/** Opens a stream at most once, possibly before a subscription needs it. */
class Opening<T> {
  readonly #make: () => Promise<Stream<T>>;
  readonly #encoder: Encoder<T>;
  #made: Promise<Stream<T>> | undefined;

  constructor(make: () => Promise<Stream<T>>, encoder: Encoder<T>) {
    this.#make = make;
    this.#encoder = encoder;
  }

  /** Rejects with `NOT_FOUND` if the principal may not watch the stream. */
  open(): Promise<Stream<T>> {
    return (this.#made ??= this.#make());
  }

  addTo(subscriptions: Subscriptions, key: string, restored?: Restored): Promise<void> {
    return subscriptions.add(key, {
      open: () => this.open(),
      encoder: this.#encoder,
      restored,
    });
  }
}

export type AnyOpening = Pick<Opening<unknown>, "addTo"> & { open(): Promise<unknown> };

/** All connections share the encoders, and so the serialised packets. */
export function createOpenings(streams: Streams, presence: Pick<PresenceService, "watch">) {
  const jobs = createEncoder<JobEvent>(legacyOfJob, ({ status, seq }) =>
    isSettled(status) ? seq : undefined,
  );
  const batches = createEncoder<BatchAggregate>(legacyOfBatch);
  const people = createEncoder<Presence>(legacyOfPresence);
  const follow = { follow: true };
  /** `device`: identifies a caller that has no user id of its own. */
  return (principal: Principal, ref: SessionStreamRef, device: string): AnyOpening => {
    if (ref.stream === "presence") {
      return new Opening(async () => {
        const refusal = refusalFor(principal, PROCEDURES, procedureOf(ref.topic));
        if (refusal !== undefined) throw refusal;
        return presence.watch(principal, presenceOf(ref.topic), { device });
      }, people);
    }
    return ref.stream === "job"
      ? new Opening(() => streams.job(principal, ref.jobId, follow), jobs)
      : new Opening(() => streams.batch(principal, ref.batchId, follow), batches);
  };
}

/** The procedure that shows the same: what it needs depends on the topic, unlike what other events need. */
function procedureOf(topic: PresenceTopic): string {
  if (topic === "tenant") return "presence.onUpdate";
  return topic.startsWith("job:") ? "job.onPresence" : "batch.onPresence";
}
