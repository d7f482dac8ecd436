/**
 * The client of the older system's guide, for apps that were written against it: Socket.IO, with the same methods,
 * events and settings. New apps use `client.ts`. After each reconnect it subscribes again to its jobs and batches and
 * receives their current state, but not `job:completed` and `job:error` a second time.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import type {
  LegacyBatchPayload,
  LegacyConnection,
  LegacyIds,
  LegacyJobPayload,
  LegacyRequestName,
  LegacySubscriptionError,
} from "#shared/legacy.ts";

export interface LegacyEvents {
  connection: (data: LegacyConnection) => void;
  subscribed: (data: LegacyIds) => void;
  "subscription:error": (data: LegacySubscriptionError) => void;
  "job:update": (data: LegacyJobPayload) => void;
  "job:completed": (data: LegacyJobPayload) => void;
  "job:error": (data: LegacyJobPayload) => void;
  "batch:update": (data: LegacyBatchPayload) => void;
}

type LegacyRequests = Record<LegacyRequestName, (ids: LegacyIds) => void>;

/** The guide's own settings, with the fallback to polling that the guide promises. */
const SETTINGS: Partial<ManagerOptions & SocketOptions> = {
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  reconnection: true,
  reconnectionDelay: 1000,
  reconnectionAttempts: 5,
  autoConnect: false,
};

export class LegacyClient {
  readonly #socket: Socket<LegacyEvents, LegacyRequests>;
  readonly #jobs = new Set<string>();
  readonly #batches = new Set<string>();
  /** True after an unsubscription that could not be sent because there was no connection. */
  #hasLeft = false;

  /** `settings` override the guide's. Sends nothing before `connect()`. */
  constructor(url: string, settings: Partial<ManagerOptions & SocketOptions> = {}) {
    this.#socket = io(url, {
      ...SETTINGS,
      ...settings,
      auth: (give) => {
        // With its `pid` the server would restore the old session, including subscriptions that were dropped meanwhile.
        const send = (given: object) => give(this.#hasLeft ? { ...given, pid: undefined } : given);
        if (typeof settings.auth === "function") settings.auth(send);
        else send(settings.auth ?? {});
      },
    });
    this.#socket.on("connect", () => {
      this.#hasLeft = false;
      for (const job_id of this.#jobs) this.#socket.emit("subscribe:job", { job_id });
      for (const batch_id of this.#batches) this.#socket.emit("subscribe:batch", { batch_id });
    });
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  connect(): void {
    this.#socket.connect();
  }

  /** Disconnects until the next `connect()`. */
  disconnect(): void {
    this.#socket.disconnect();
  }

  subscribeToJob(jobId: string): void {
    this.#jobs.add(jobId);
    this.#request("subscribe:job", { job_id: jobId });
  }

  unsubscribeFromJob(jobId: string): void {
    this.#jobs.delete(jobId);
    this.#request("unsubscribe:job", { job_id: jobId });
  }

  subscribeToBatch(batchId: string): void {
    this.#batches.add(batchId);
    this.#request("subscribe:batch", { batch_id: batchId });
  }

  unsubscribeFromBatch(batchId: string): void {
    this.#batches.delete(batchId);
    this.#request("unsubscribe:batch", { batch_id: batchId });
  }

  on<N extends keyof LegacyEvents>(name: N, listener: LegacyEvents[N]): void {
    // Socket.IO's types add its reserved events, which these names are not.
    this.#socket.on<keyof LegacyEvents>(name, listener);
  }

  off<N extends keyof LegacyEvents>(name: N, listener?: LegacyEvents[N]): void {
    this.#socket.off<keyof LegacyEvents>(name, listener);
  }

  /** Sends nothing without a connection: the next `connect` sends all current subscriptions. */
  #request(name: LegacyRequestName, ids: LegacyIds): void {
    if (this.#socket.connected) this.#socket.emit(name, ids);
    else if (name.startsWith("unsubscribe")) this.#hasLeft = true;
  }
}
