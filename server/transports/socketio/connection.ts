/** One legacy connection: handles its requests, and answers with the older system's event names. */
import type { Socket } from "socket.io";
import { EVENTS, refusalFor } from "#server/auth/permissions.ts";
import type { Holder, SavedSession } from "#server/sessions/open.ts";
import type { Release } from "#server/limits/open.ts";
import type { Caller } from "#server/transports/contract.ts";
import { countCall } from "#server/transports/limits/count-call.ts";
import { assertSameUser, losesScope, msLeft } from "#server/transports/callers/credential-end.ts";
import { endWithCredential } from "#server/transports/callers/end-with-credential.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import { SmallMap } from "#server/transports/sockets/small-map.ts";
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
import { connectionWriterOf, type DrainListener } from "./connection-writer.ts";
import { lastingOf, Lifetime } from "./lifetime.ts";
import { type Pings, pingsOf } from "./pings.ts";
import { Receipts } from "./receipts.ts";
import { readRefresh, readRequest, type Request } from "./request.ts";
import { RequestQueue } from "./request-queue.ts";
import { NO_END, type Restored, type RestoredSubscription } from "./restore.ts";
import { type Listener, Subscriptions } from "./subscriptions.ts";

type Ack = (answer: LegacyAnswer) => void;

/** Returns a function that serves one connection. */
export function createConnections(shared: ConnectionContext) {
  return function serveConnection(socket: Socket, caller: Caller, restored: Restored): void {
    new Client(socket, caller, restored, shared).begin(restored.subscriptions);
  };
}

/** Reasons after which the client does not return: it disconnected explicitly, or the embedding program disconnected it. */
const FOR_GOOD = new Set(["client namespace disconnect", "server namespace disconnect"]);

const CLIENT = Symbol("client");
type WithClient = Socket & { [CLIENT]?: Client };

function clientOf(socket: Socket): Client {
  const client = (socket as WithClient)[CLIENT];
  if (client === undefined) throw new Error("The connection is not served.");
  return client;
}

/** A class to save memory: connections are many, and most of them are idle. */
class Client implements DrainListener, Holder, Listener {
  readonly #socket: Socket;
  #principal: Principal;
  readonly #shared: ConnectionContext;
  readonly #device: string;
  readonly #subscriptions: Subscriptions;
  readonly #requests: RequestQueue;
  /** Absent in protocol 3 of Engine.IO, whose clients cannot resume a session. */
  readonly #session: SavedSession | undefined;
  readonly #pings: Pings | undefined;
  /** Absent until the client brings credentials that end. */
  #lifetime: Lifetime | undefined;
  /** Of its newest credential. */
  #stopWatching: (() => void) | undefined;
  /** Created with the first end that is sent. */
  #receipts: Receipts | undefined;
  /**
   * The entries of the session, valid even after the connection closed: for each subscription the end of its job that the
   * client has certainly received, or `NO_END`.
   */
  readonly #kept = new SmallMap<string, number>();
  /** True while the client may still request its restored subscriptions, as clients without knowledge of sessions do. */
  #isComingBack = false;

  constructor(
    socket: Socket,
    caller: Caller,
    { pid, isStored }: Restored,
    shared: ConnectionContext,
  ) {
    this.#socket = socket;
    this.#principal = caller.principal;
    this.#device = pid;
    this.#shared = shared;
    const writer = connectionWriterOf(socket.conn);
    this.#subscriptions = new Subscriptions(writer, this);
    this.#requests = new RequestQueue(writer, this);
    writer.addDrainListener(this);
    const pings = pingsOf(socket.conn);
    this.#pings = pings;
    if (pings !== undefined) {
      this.#session = shared.sessions.hold(
        { principal: caller.principal, secret: pid },
        this,
        isStored,
      );
      pings.owner = this;
    }
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
    if (this.#pings?.owner === this) this.#pings.owner = undefined;
    this.#requests.clear();
    this.#subscriptions.removeAll();
    connectionWriterOf(this.#socket.conn).removeDrainListener(this);
    this.#lifetime?.closed();
    if (FOR_GOOD.has(reason)) this.#session?.end();
  }

  onDrain(): void {
    this.#subscriptions.resume();
    this.#requests.resume();
  }

  count(): Promise<Release> | undefined {
    return this.#shared.limits?.openForUser("user_subscriptions", this.#principal);
  }

  get id(): string {
    return this.#socket.id;
  }

  entries(): Iterable<readonly [key: string, end: number]> {
    return this.#kept.entries();
  }

  /** Closes below Socket.IO: a client that is still connected treats this as a lost connection, and reconnects. */
  evicted(): void {
    this.#socket.conn.close(true);
  }

  /** Closes the connection of a client that sends requests and reads no answers. */
  overflowed(): void {
    this.#socket.conn.close(true);
  }

  heard(): void {
    this.#session?.renew();
  }

  /** Greets the client and restores its earlier subscriptions. */
  begin(restored: readonly RestoredSubscription[]): void {
    const greeting: LegacyConnection = { connected: true, session_id: this.#socket.id };
    this.#socket.emit(LEGACY.connection, greeting);
    if (restored.length === 0) return;
    this.#comeBack();
    for (const each of restored) this.#restore(each);
    // Detects that another connection has taken the session meanwhile.
    this.#session?.renew();
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
    const pings = this.#pings;
    pings?.ask(() => pings.ask(() => setImmediate(isBack)));
  }

  #restore({ key, ref, opening, toldEnd, failure }: RestoredSubscription): void {
    const ids = idsOf(ref);
    if (failure !== undefined) return void this.#fail(failure, ids);
    this.#kept.set(key, toldEnd ?? NO_END);
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
    if (this.#subscriptions.remove(key)) await this.#forget(key);
  }

  opened(key: string): Promise<void> {
    return this.#keep(key, NO_END);
  }

  started(key: string): void {
    this.#socket.emit(LEGACY.subscribed, idsOf(sessionStreamOf(key)));
  }

  ended(key: string, end: number): void {
    if (this.#pings === undefined) return;
    this.#receipts ??= new Receipts(this.#pings, (of, value) => this.#received(of, value));
    this.#receipts.expect(key, end);
  }

  failed(key: string, reason: AppError): void {
    void this.#forget(key);
    this.#fail(reason, idsOf(sessionStreamOf(key)));
  }

  isComingBack(): boolean {
    return this.#isComingBack;
  }

  #received(key: string, end: number): void {
    if (this.#kept.has(key)) void this.#keep(key, end);
  }

  async #keep(key: string, end: number): Promise<void> {
    this.#kept.set(key, end);
    await this.#session?.change(key, end);
  }

  async #forget(key: string): Promise<void> {
    this.#kept.delete(key);
    this.#receipts?.forget(key);
    await this.#session?.change(key, null);
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
