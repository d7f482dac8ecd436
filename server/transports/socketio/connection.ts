/** One legacy connection: handles its requests, and answers with the older system's event names. */
import type { Socket } from "socket.io";
import { EVENTS, refusalFor } from "#server/auth/permissions.ts";
import type { Release } from "#server/limits/open.ts";
import type { Caller } from "#server/transports/contract.ts";
import { countCall } from "#server/transports/limits/count-call.ts";
import { assertSameUser, losesScope, msLeft } from "#server/transports/callers/credential-end.ts";
import { endWithCredential } from "#server/transports/callers/end-with-credential.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import { AppError } from "#shared/errors.ts";
import {
  AUTH_REFRESH,
  LEGACY,
  type LegacyAnswer,
  type LegacyConnection,
  type LegacyIds,
  type LegacySubscriptionError,
} from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import { sessionKey, sessionStreamOf } from "#shared/stream-ref.ts";
import { toLegacyError } from "./errors.ts";
import { idsOf } from "./opening.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionSession } from "./connection-session.ts";
import { connectionWriterOf, type DrainListener } from "./connection-writer.ts";
import { lastingOf, Lifetime } from "./lifetime.ts";
import { readRefresh, readRequest, type Request } from "./request.ts";
import { RequestQueue } from "./request-queue.ts";
import type { Restored, RestoredSubscription } from "./restore.ts";
import { type Listener, Subscriptions } from "./subscriptions.ts";

type Ack = (answer: LegacyAnswer) => void;

/** Returns a function that serves one connection. */
export function createConnections(shared: ConnectionContext) {
  return function serveConnection(socket: Socket, caller: Caller, restored: Restored): void {
    new Client(socket, caller, restored, shared).begin(restored.subscriptions);
  };
}

const CLIENT = Symbol("client");
type WithClient = Socket & { [CLIENT]?: Client };

function clientOf(socket: Socket): Client {
  const client = (socket as WithClient)[CLIENT];
  if (client === undefined) throw new Error("The connection is not served.");
  return client;
}

/** A class to save memory: connections are many, and most of them are idle. */
class Client implements DrainListener, Listener {
  readonly #socket: Socket;
  #principal: Principal;
  readonly #shared: ConnectionContext;
  readonly #device: string;
  readonly #subscriptions: Subscriptions;
  readonly #requests: RequestQueue;
  readonly #session: ConnectionSession;
  /** Absent until the client brings credentials that end. */
  #lifetime: Lifetime | undefined;
  /** Of its newest credential. */
  #stopWatching: (() => void) | undefined;
  /** True while the client may still request its restored subscriptions, as clients without knowledge of sessions do. */
  #isComingBack = false;

  constructor(socket: Socket, caller: Caller, restored: Restored, shared: ConnectionContext) {
    this.#socket = socket;
    this.#principal = caller.principal;
    this.#device = restored.pid;
    this.#shared = shared;
    const writer = connectionWriterOf(socket.conn);
    this.#subscriptions = new Subscriptions(writer, this);
    this.#requests = new RequestQueue(writer, this);
    writer.addDrainListener(this);
    this.#session = new ConnectionSession(socket, caller.principal, restored, shared.sessions);
    this.#identified(caller);
    (socket as WithClient)[CLIENT] = this;
    socket.onAny(Client.#onAny);
    socket.on("disconnect", Client.#onDisconnect);
  }

  static readonly #onAny = sharedListener((socket: Socket, name: unknown, ...args: unknown[]) =>
    clientOf(socket).#heard(name, args),
  );
  static readonly #onDisconnect = sharedListener((socket: Socket, reason: string) =>
    clientOf(socket).#left(reason),
  );

  #heard(name: unknown, args: unknown[]): void {
    // Socket.IO still emits events that arrived in one message with a disconnect.
    if (!this.#socket.connected) return;
    const ack = typeof args.at(-1) === "function" ? (args.pop() as Ack) : undefined;
    const answer = this.#read(name, args[0]);
    this.#requests.add(async () => {
      const result = await answer();
      ack?.(result);
    });
  }

  #left(reason: string): void {
    this.#requests.clear();
    this.#subscriptions.removeAll();
    connectionWriterOf(this.#socket.conn).removeDrainListener(this);
    this.#lifetime?.closed();
    this.#session.left(reason);
  }

  onDrain(): void {
    this.#subscriptions.resume();
    this.#requests.resume();
  }

  count(): Promise<Release> | undefined {
    return this.#shared.limits?.openForUser("user_subscriptions", this.#principal);
  }

  /** Closes the connection of a client that sends requests and reads no answers. */
  overflowed(): void {
    this.#socket.conn.close(true);
  }

  /** Greets the client and restores its earlier subscriptions. */
  begin(restored: readonly RestoredSubscription[]): void {
    const greeting: LegacyConnection = { connected: true, session_id: this.#socket.id };
    this.#socket.emit(LEGACY.connection, greeting);
    if (restored.length === 0) return;
    this.#comeBack();
    for (const each of restored) this.#restore(each);
    this.#session.renew();
  }

  /**
   * A client requests its subscriptions again as soon as it learns that it is connected. A polling client answers a ping of
   * the same response even before that, so only the answer to a second ping follows its requests. Both may arrive in one
   * body, and Socket.IO emits the requests of a body after the answer, hence `setImmediate`. They may still wait for their
   * turn then, hence the queue.
   */
  #comeBack(): void {
    this.#isComingBack = true;
    const isBack = () =>
      this.#requests.add(async () => {
        this.#isComingBack = false;
      });
    this.#session.ask(() => this.#session.ask(() => setImmediate(isBack)));
  }

  #restore({ key, ref, opening, toldEnd, failure }: RestoredSubscription): void {
    const ids = idsOf(ref);
    if (failure !== undefined) return void this.#fail(failure, ids);
    this.#session.restored(key, toldEnd);
    opening
      .addTo(this.#subscriptions, key, { toldEnd })
      .catch((error: unknown) => this.#fail(error, ids));
  }

  #identified(caller: Caller): void {
    this.#stopWatching?.();
    this.#stopWatching =
      caller.credential && endWithCredential(this.#shared, caller, lastingOf(this.#socket));
    if (caller.expiresAt !== undefined)
      this.#lifetime ??= new Lifetime(this.#socket.conn, this.#shared);
    this.#lifetime?.identified(caller);
  }

  /** Parses a request now, because a payload can be large, and returns what answers it. */
  #read(name: unknown, payload: unknown): () => LegacyAnswer | Promise<LegacyAnswer> {
    try {
      if (name === AUTH_REFRESH) {
        const token = readRefresh(payload);
        return () => this.#refresh(token);
      }
      const request = readRequest(name, payload);
      const refusal = refusalFor(this.#principal, EVENTS, String(name));
      if (refusal !== undefined) return () => this.#fail(refusal, idsOf(request.ref));
      return () => this.#answer(request);
    } catch (error) {
      return () => this.#fail(error, {});
    }
  }

  async #answer(request: Request): Promise<LegacyAnswer> {
    try {
      await countCall(this.#shared.limits, this.#principal);
      if (request.action === "subscribe") await this.#subscribe(request);
      else if (request.action === "unsubscribe") await this.#unsubscribe(request);
      else
        return { ok: true, ...(await this.#shared.call(this.#principal, request, this.#device)) };
      return { ok: true };
    } catch (error) {
      return this.#fail(error, idsOf(request.ref));
    }
  }

  async #refresh(token: string): Promise<LegacyAnswer> {
    try {
      const { limits } = this.#shared;
      await countCall(limits, this.#principal);
      const address = limits?.addresses.keyOf(this.#socket.request);
      const caller = await this.#shared.identify({ headers: {}, token, address });
      // A client that has left meanwhile would never take back what is registered for it.
      if (!this.#socket.connected) throw new AppError("BAD_REQUEST", "The client has left.");
      const before = this.#principal;
      assertSameUser(before, caller.principal);
      this.#principal = caller.principal;
      if (losesScope(before, caller.principal))
        (this.#lifetime ??= new Lifetime(this.#socket.conn, this.#shared)).renew();
      else this.#identified(caller);
      return { ok: true, expires_in_ms: msLeft(caller, this.#shared.clock) };
    } catch (error) {
      return { ok: false, error: this.#described(error, {}) };
    }
  }

  #subscribe(request: Request): Promise<void> {
    const opening = this.#shared.open(this.#principal, request.ref, this.#device);
    return opening.addTo(this.#subscriptions, sessionKey(request.ref));
  }

  async #unsubscribe(request: Request): Promise<void> {
    const key = sessionKey(request.ref);
    if (this.#subscriptions.remove(key)) await this.#session.unsubscribed(key);
  }

  opened(key: string): Promise<void> {
    return this.#session.subscribed(key);
  }

  started(key: string): void {
    this.#socket.emit(LEGACY.subscribed, idsOf(sessionStreamOf(key)));
  }

  ended(key: string, end: number): void {
    this.#session.ended(key, end);
  }

  failed(key: string, reason: AppError): void {
    void this.#session.unsubscribed(key);
    this.#fail(reason, idsOf(sessionStreamOf(key)));
  }

  isComingBack(): boolean {
    return this.#isComingBack;
  }

  #fail(error: unknown, ids: LegacyIds): LegacyAnswer {
    const answer = this.#described(error, ids);
    const payload: LegacySubscriptionError = { ...answer, ...ids };
    this.#socket.emit(LEGACY.subscriptionError, payload);
    return { ok: false, error: answer };
  }

  #described(error: unknown, ids: LegacyIds): ReturnType<typeof toLegacyError> {
    const answer = toLegacyError(error);
    this.#shared.observer?.callFailed("socketio", answer.code);
    if (answer.code === "INTERNAL") {
      this.#shared.log.error({ err: error, ...ids }, "A request failed");
    }
    return answer;
  }
}
