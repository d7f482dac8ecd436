/** Opens a stream for subscriptions, together with its wire encoding. */
import type { Stream, Streams } from "#server/streams/open.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import { type LegacyIds, legacyOfBatch, legacyOfJob } from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import type { SessionStreamRef } from "#shared/stream-ref.ts";
import { createEncoder, type Encoder } from "./packet.ts";
import type { Restored } from "./subscription.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Returns the stream's id under its legacy field name. */
export function idsOf(ref: SessionStreamRef): LegacyIds {
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
export function createOpenings(streams: Streams) {
  const jobs = createEncoder<JobEvent>(legacyOfJob, ({ status, seq }) =>
    isSettled(status) ? seq : undefined,
  );
  const batches = createEncoder<BatchAggregate>(legacyOfBatch);
  const follow = { follow: true };
  return (principal: Principal, ref: SessionStreamRef): AnyOpening =>
    ref.stream === "job"
      ? new Opening(() => streams.job(principal, ref.jobId, follow), jobs)
      : new Opening(() => streams.batch(principal, ref.batchId, follow), batches);
}
