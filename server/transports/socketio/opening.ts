/** What a client can subscribe to, under one name: a stream, and how its entries go over the wire. */
import type { Stream, Streams } from "#server/streams/open.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import { type LegacyIds, legacyOfBatch, legacyOfJob } from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import { createEncoder, type Encoder } from "./packet.ts";
import type { Restored } from "./subscription.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** A stream of this server, by the two words of the names of requests: `subscribe:job` with an id. */
export interface Topic {
  stream: "job" | "batch";
  id: string;
}

export function keyOf({ stream, id }: Topic): string {
  return `${stream}:${id}`;
}

/** The one of this key. */
export function topicOf(key: string): Topic {
  const stream = key.startsWith("job:") ? "job" : "batch";
  return { stream, id: key.slice(stream.length + 1) };
}

/** The topic's id under the name that clients know it by. */
export function idsOf({ stream, id }: Topic): LegacyIds {
  return stream === "job" ? { job_id: id } : { batch_id: id };
}

/** A stream that is opened at most once, and may be before it is subscribed to. */
class Opening<T> {
  readonly #make: () => Promise<Stream<T>>;
  readonly #encoder: Encoder<T>;
  #made: Promise<Stream<T>> | undefined;

  constructor(make: () => Promise<Stream<T>>, encoder: Encoder<T>) {
    this.#make = make;
    this.#encoder = encoder;
  }

  /** Rejects with `NOT_FOUND` where the principal may not watch it. */
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

/** All connections share what is serialised. */
export function createOpenings(streams: Streams) {
  const jobs = createEncoder<JobEvent>(legacyOfJob, ({ status, seq }) =>
    isSettled(status) ? seq : undefined,
  );
  const batches = createEncoder<BatchAggregate>(legacyOfBatch);
  const follow = { follow: true };
  return (principal: Principal, { stream, id }: Topic): AnyOpening =>
    stream === "job"
      ? new Opening(() => streams.job(principal, id, follow), jobs)
      : new Opening(() => streams.batch(principal, id, follow), batches);
}
