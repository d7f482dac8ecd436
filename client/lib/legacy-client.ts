/**
 * The client of the older system's guide, for apps that were written against it: Socket.IO, with the same methods,
 * events and settings. New apps use `client.ts`. After each reconnect it subscribes again to its jobs, batches and feed and
 * receives their current state, but not `job:completed` and `job:error` a second time.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import type {
  ClientToServerEvents,
  ServerToClientEvents,
  WsClientEvents,
} from "./legacy-events.ts";

export type {
  ClientToServerEvents,
  ConnectionEvents,
  ServerToClientEvents,
  WSBatchUpdate,
  WsClientEvents,
  WSConnection,
  WSJobUpdate,
  WSSubscribed,
  WSSubscriptionError,
} from "./legacy-events.ts";

export type LegacySettings = Partial<ManagerOptions & SocketOptions>;
/** Socket.IO types its own events apart from the others. */
type Name = keyof ServerToClientEvents;
type Listener = ServerToClientEvents[Name];
type LegacySocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** The guide's own settings, with the fallback to polling that the guide promises. */
const SETTINGS: LegacySettings = {
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  reconnection: true,
  reconnectionDelay: 1000,
  reconnectionAttempts: 5,
  autoConnect: false,
};

/** The guide's own address, for development. */
const DEFAULT_URL = "ws://localhost:8000";

export class LegacyClient {
  readonly #url: string | (() => string);
  readonly #settings: LegacySettings;
  /** `undefined` until it is first needed. */
  #opened: LegacySocket | undefined;
  readonly #jobs = new Set<string>();
  readonly #batches = new Set<string>();
  #hasFeed = false;
  /** True after an unsubscription that could not be sent because there was no connection. */
  #hasLeft = false;

  /** `settings` override the guide's. Sends nothing before `connect()`. A function for `url` is called at the first use. */
  constructor(url: string | (() => string), settings: LegacySettings = {}) {
    this.#url = url;
    this.#settings = settings;
  }

  get connected(): boolean {
    return this.#opened?.connected ?? false;
  }

  connect(): void {
    this.#socket().connect();
  }

  /** Disconnects until the next `connect()`. */
  disconnect(): void {
    this.#opened?.disconnect();
  }

  // Without a connection these send nothing: the next `connect` sends all current subscriptions.

  subscribeToJob(jobId: string): void {
    this.#jobs.add(jobId);
    if (this.connected) this.#opened?.emit("subscribe:job", { job_id: jobId });
  }

  unsubscribeFromJob(jobId: string): void {
    this.#jobs.delete(jobId);
    if (this.connected) this.#opened?.emit("unsubscribe:job", { job_id: jobId });
    else this.#hasLeft = true;
  }

  subscribeToBatch(batchId: string): void {
    this.#batches.add(batchId);
    if (this.connected) this.#opened?.emit("subscribe:batch", { batch_id: batchId });
  }

  unsubscribeFromBatch(batchId: string): void {
    this.#batches.delete(batchId);
    if (this.connected) this.#opened?.emit("unsubscribe:batch", { batch_id: batchId });
    else this.#hasLeft = true;
  }

  /** Every job of this user, as `job:update` alone: the jobs that changed last, then each change. */
  subscribeToFeed(): void {
    this.#hasFeed = true;
    if (this.connected) this.#opened?.emit("subscribe:feed", {});
  }

  unsubscribeFromFeed(): void {
    this.#hasFeed = false;
    if (this.connected) this.#opened?.emit("unsubscribe:feed", {});
    else this.#hasLeft = true;
  }

  on<N extends keyof WsClientEvents>(name: N, listener: WsClientEvents[N]): void {
    this.#socket().on<Name>(name as Name, listener as Listener);
  }

  /** The listener is called once. */
  once<N extends keyof WsClientEvents>(name: N, listener: WsClientEvents[N]): void {
    this.#socket().once<Name>(name as Name, listener as Listener);
  }

  /** Without a listener it removes all that the app has added for this event. */
  off<N extends keyof WsClientEvents>(name: N, listener?: WsClientEvents[N]): void {
    const socket = this.#socket();
    // Socket.IO counts the arguments.
    if (listener !== undefined) socket.off<Name>(name as Name, listener as Listener);
    else socket.off<Name>(name as Name);
    if (name === "connect" && listener === undefined) socket.on("connect", this.#subscribeAgain);
  }

  readonly #subscribeAgain = () => {
    this.#hasLeft = false;
    for (const job_id of this.#jobs) this.#opened?.emit("subscribe:job", { job_id });
    for (const batch_id of this.#batches) this.#opened?.emit("subscribe:batch", { batch_id });
    if (this.#hasFeed) this.#opened?.emit("subscribe:feed", {});
  };

  #socket(): LegacySocket {
    return (this.#opened ??= this.#open());
  }

  #open(): LegacySocket {
    const settings = this.#settings;
    const socket: LegacySocket = io(typeof this.#url === "string" ? this.#url : this.#url(), {
      ...SETTINGS,
      ...settings,
      auth: (give) => {
        // With its `pid` the server would restore the old session, including subscriptions that were dropped meanwhile.
        const send = (given: object) => give(this.#hasLeft ? { ...given, pid: undefined } : given);
        if (typeof settings.auth === "function") settings.auth(send);
        else send(settings.auth ?? {});
      },
    });
    socket.on("connect", this.#subscribeAgain);
    return socket;
  }
}

declare const process: { env: { NEXT_PUBLIC_WS_URL?: string } };

/**
 * The address in `NEXT_PUBLIC_WS_URL`. Next.js puts the value in the place of exactly this expression; elsewhere there may be no
 * `process`.
 */
function urlOfApp(): string {
  try {
    return process.env.NEXT_PUBLIC_WS_URL || DEFAULT_URL;
  } catch {
    return DEFAULT_URL;
  }
}

/** The guide's client, one for the whole app. It is not connected before `connect()`. */
export const wsClient = new LegacyClient(urlOfApp);
