/**
 * The browser client of the older system as its guide describes it: connects once, subscribes once, and leaves
 * reconnecting to Socket.IO. Its `connect` handler does not subscribe. It records what its page would show.
 */
import type { io as latest } from "socket.io-client";
import { io as io46 } from "socket.io-client-4.6";
import { io as io47 } from "socket.io-client-4.7";
import { io } from "socket.io-client";
import type { LegacyJobPayload } from "#shared/legacy.ts";

/** Older versions, typed as the newest: the parts in use are identical. */
export const VERSIONS: readonly (readonly [version: string, io: typeof latest])[] = [
  ["4.6.0", io46 as unknown as typeof latest],
  ["4.7.5", io47 as unknown as typeof latest],
  ["the newest", io],
];

export const TRANSPORTS = [["websocket", "polling"], ["polling"]] as const;

const EVENTS = ["job:update", "job:completed", "job:error"] as const;

export class GuideClient {
  readonly #socket: ReturnType<typeof latest>;
  /** Shown lines such as `job:update PROCESSING`, in order, by job. */
  readonly shown = new Map<string, string[]>();
  /** Number of connections, and responses to its subscriptions. */
  connects = 0;
  readonly errors: unknown[] = [];

  constructor(connect: typeof latest, url: string, transports: readonly string[]) {
    this.#socket = connect(url, {
      transports: [...transports],
      reconnection: true,
      reconnectionDelay: 1000,
      reconnectionAttempts: 5,
      forceNew: true,
    });
    this.#socket.on("connect", () => (this.connects += 1));
    this.#socket.on("subscription:error", (error: unknown) => this.errors.push(error));
    for (const name of EVENTS) {
      this.#socket.on(name, ({ job_id: jobId, status }: LegacyJobPayload) => {
        this.shown.set(jobId, [...(this.shown.get(jobId) ?? []), `${name} ${status}`]);
      });
    }
  }

  subscribeToJob(jobId: string): void {
    this.#socket.emit("subscribe:job", { job_id: jobId });
  }

  disconnect(): void {
    this.#socket.disconnect();
  }

  /** Number of ends of the job that it received, and whether its page shows the end. */
  endsOf(jobId: string): { told: number; shows: boolean } {
    const shown = this.shown.get(jobId) ?? [];
    return {
      told: shown.filter((each) => !each.startsWith("job:update")).length,
      shows: shown.at(-1) === "job:update DELIVERED",
    };
  }
}
