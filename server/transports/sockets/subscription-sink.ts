/**
 * The sink of one subscription. It writes a stream's entries to the client's connection, and accepts none while the
 * connection is full (S7). Refused entries stay in the stream; the connection's queue resumes the watch once the writer
 * drains.
 */
import type { Entry, Sink, Stream, Watch } from "#server/streams/open.ts";
import type { AppError } from "#shared/errors.ts";
import type { Chunk, Message } from "./chunks.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { ResumeQueue } from "./resume-queue.ts";

/** The connection that a sink writes to. All of its subscriptions share it. */
export interface SinkConnection {
  readonly writer: { isFull(): boolean };
  readonly resumeQueue: ResumeQueue;
  /** Of all connections of its kind. The sink adds to them. */
  readonly sent: SentCounts;
}

/**
 * Each transport extends it with its encoding and its protocol's state. It is a base class because watchers are many: each
 * costs one object and no closures.
 */
export abstract class SubscriptionSink<T> implements Sink<T> {
  #watch: Watch | undefined;
  /** The last compressed message of this subscription. */
  protected lastSent: Message | undefined;

  protected abstract get connection(): SinkConnection;

  /** Encodes entries. Returns the same chunks for the same list, so that all its watchers share the bytes. */
  protected abstract chunksOf(entries: readonly Entry<T>[]): readonly Chunk[];

  /** Writes a chunk that begins with `entries[from]`. Returns how many entries it wrote. */
  protected abstract write(chunk: Chunk, entries: readonly Entry<T>[], from: number): number;

  abstract end(reason?: AppError): void;

  watch(stream: Stream<T>): void {
    this.#watch = stream.pipe(this);
  }

  /** Stops the watch if it has begun. */
  leave(): void {
    this.forget();
    if (this.#watch === undefined) return;
    this.#watch.stop();
    this.connection.resumeQueue.delete(this.#watch);
  }

  /** Call it when the stream has ended. */
  protected forget(): void {
    this.lastSent?.release();
    this.lastSent = undefined;
  }

  push(entries: readonly Entry<T>[]): number {
    const taken = this.take(entries);
    if (taken < entries.length && this.#watch !== undefined) {
      this.connection.resumeQueue.add(this.#watch);
    }
    return taken;
  }

  /** Returns how many entries it wrote. */
  protected take(entries: readonly Entry<T>[]): number {
    const { writer, sent } = this.connection;
    let taken = 0;
    for (const chunk of this.chunksOf(entries)) {
      if (writer.isFull()) return taken;
      const written = this.write(chunk, entries, taken);
      taken += written;
      sent.entries += written;
      if (written === chunk.count) {
        sent.bytes += chunk.bytes.length;
      } else {
        sent.bytes += Math.round((chunk.bytes.length * written) / chunk.count);
        return taken;
      }
    }
    return taken;
  }
}
