/** Our handler speaks tRPC's protocol in both encodings: each case runs against it and against tRPC's own. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decode, encode } from "@msgpack/msgpack";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { initTRPC, tracked, TRPCError } from "@trpc/server";
import { applyWSSHandler, type CreateWSSContextFnOptions } from "@trpc/server/adapters/ws";
import { observable } from "@trpc/server/observable";
import superjson from "superjson";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { openSocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { msgpackEncoder } from "#test/transports/msgpack-encoder.ts";
import { CREDENTIAL_LIMITS } from "#server/transports/callers/credential-end.ts";
import { openHandler } from "./ws-handler.ts";

interface Context {
  user: string;
}

/** A record of the calls that the procedures received. */
function createTestRouter(seen: string[]) {
  const t = initTRPC.context<Context>().create({
    transformer: superjson,
    isDev: false,
    errorFormatter({ shape, error }) {
      if (error.message === "unspeakable") throw new Error("the formatter fails");
      return { ...shape, data: { ...shape.data, formatted: true } };
    },
  });
  const { procedure, router } = t;
  return router({
    who: procedure.query(({ ctx }) => ctx.user),
    add: procedure
      .input(z.object({ a: z.number(), b: z.number() }))
      .mutation(({ input }) => input.a + input.b),
    when: procedure.query(() => ({ at: new Date(0), none: undefined, many: new Set([1]) })),
    nothing: procedure.mutation(() => undefined),
    fail: procedure.query(() => {
      throw new TRPCError({ code: "CONFLICT", message: "not now" });
    }),
    unspeakable: procedure.query(() => {
      throw new Error("unspeakable");
    }),
    unserialisable: procedure.query(() => ({
      toJSON() {
        throw new Error("no words");
      },
    })),
    iterableQuery: procedure.query(async function* () {
      yield 1;
    }),
    cursor: procedure.input(z.unknown()).subscription(async function* ({ input }) {
      yield JSON.stringify(input) ?? "nothing";
    }),
    count: procedure.input(z.number()).subscription(async function* ({ input }) {
      for (let n = 1; n <= input; n++) yield tracked(String(n), { n, at: new Date(n) });
    }),
    plain: procedure.subscription(async function* () {
      yield "a";
      yield { b: 1n };
    }),
    observed: procedure.subscription(() =>
      observable<number>((observer) => {
        observer.next(1);
        observer.next(2);
        observer.complete();
        return () => void seen.push("unsubscribed");
      }),
    ),
    endless: procedure.subscription(async function* ({ signal }) {
      signal?.addEventListener("abort", () => seen.push("aborted"));
      try {
        yield 1;
        await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      } finally {
        seen.push("finally");
      }
    }),
    stuck: procedure.subscription(async function* () {
      yield 1;
      await new Promise(() => {});
    }),
    breaks: procedure.subscription(async function* () {
      yield 1;
      throw new TRPCError({ code: "CONFLICT", message: "half-way" });
    }),
    neverBegins: procedure.subscription(async () => {
      throw new TRPCError({ code: "FORBIDDEN", message: "not you" });
    }),
    notIterable: procedure.subscription((() => 7) as never),
  });
}

interface Options {
  createContext?: (options: CreateWSSContextFnOptions) => Promise<Context>;
  ping?: { intervalMs: number; timeoutMs: number };
  experimental_encoder?: typeof msgpackEncoder | undefined;
}

const HANDLERS = { ours: serveOurs, "tRPC's own": serveStock };
type Router = ReturnType<typeof createTestRouter>;

function serveOurs(
  _wss: WebSocketServer,
  router: Router,
  options: Required<Options>,
  onError: () => void,
) {
  const writers = openSocketWriters({ highWaterBytes: 256 * 1024, stallTimeoutMs: 60_000 });
  const handler = openHandler({
    credentialLimits: CREDENTIAL_LIMITS,
    clock: SYSTEM_CLOCK,
    router,
    createContext: options.createContext,
    onError,
    onBroken: onError,
    writers,
    ping: options.ping,
  });
  onTestFinished(async () => {
    await handler.close(0);
    writers.close();
  });
  return {
    serve: handler.serve,
    reconnect: () => handler.tellToReconnect(),
    handOver: handler.handOver,
  };
}

function serveStock(
  wss: WebSocketServer,
  router: Router,
  options: Required<Options>,
  onError: () => void,
) {
  // If `onError` throws, tRPC's own handler writes to the console.
  const quiet = vi.spyOn(console, "error").mockReturnValue(undefined);
  onTestFinished(() => quiet.mockRestore());
  const { intervalMs, timeoutMs } = options.ping;
  const handler = applyWSSHandler({
    wss,
    router,
    createContext: options.createContext,
    onError,
    ...(options.experimental_encoder && { experimental_encoder: options.experimental_encoder }),
    keepAlive: { enabled: true, pingMs: intervalMs, pongWaitMs: timeoutMs },
  });
  return {
    serve: (...[ws, , req]: Parameters<ReturnType<typeof openHandler>["serve"]>) =>
      wss.emit("connection", ws, req),
    reconnect: () => handler.broadcastReconnectNotification(),
    handOver: undefined,
  };
}

const query = (id: unknown, path: string, input?: unknown) => ({
  id,
  method: "query",
  params: { path, input: superjson.serialize(input) },
});
const mutation = (id: unknown, path: string, input?: unknown) => ({
  ...query(id, path, input),
  method: "mutation",
});
const subscription = (id: unknown, path: string, input?: unknown) => ({
  ...query(id, path, input),
  method: "subscription",
});
const stop = (id: unknown) => ({ id, method: "subscription.stop" });
const data = (id: unknown, json: unknown) => ({ id, result: { type: "data", data: { json } } });
const started = (id: unknown) => ({ id, result: { type: "started" } });
const stopped = (id: unknown) => ({ id, result: { type: "stopped" } });
const failed = (id: unknown, code: string, message?: string) =>
  expect.objectContaining({
    id,
    error: {
      json: expect.objectContaining({
        ...(message === undefined ? {} : { message }),
        data: expect.objectContaining({ code, formatted: true }),
      }),
    },
  });

/** The exact frame of the n-th value of `count`. */
const entry = (n: number) =>
  `{"id":7,"result":{"type":"data","data":{"json":{"id":"${n}","data":{"n":${n},"at":"1970-01-01T00:00:00.00${n}Z"}},"meta":{"values":{"data.at":["Date"]},"v":1}},"id":"${n}"}}`;

type Encoding = "JSON" | "MessagePack";
type Frame = string | Uint8Array;
type Case = readonly [which: keyof typeof HANDLERS, encoding: Encoding];
const CASES: readonly Case[] = [
  ["ours", "JSON"],
  ["ours", "MessagePack"],
  ["tRPC's own", "JSON"],
  ["tRPC's own", "MessagePack"],
];

const frameOf: Record<Encoding, (message: unknown) => Frame> = {
  JSON: (message) => JSON.stringify(message),
  MessagePack: (message) => encode(message, { ignoreUndefined: true }),
};
/** Frames that hold no message. */
const BROKEN: Record<Encoding, Readonly<Record<string, Frame>>> = {
  JSON: { "cut off": "{", empty: "", "a word": "PINGPONG", "a zero byte": "\u0000" },
  MessagePack: {
    "cut off": Buffer.of(0x81),
    empty: Buffer.of(),
    "of an unknown type": Buffer.of(0xc1),
    "a text without its end": Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff),
  },
};

/** A raw client that records every frame: as JSON what came in a frame of its encoding, and texts as they are. */
async function talk(url: string, encoding: Encoding) {
  const ws = new WebSocket(url);
  const frames: string[] = [];
  const isBinaryOf: boolean[] = [];
  ws.on("message", (data: Buffer, isBinary) => {
    isBinaryOf.push(isBinary);
    if (isBinary && encoding === "JSON") throw new Error("A binary frame arrived.");
    frames.push(isBinary ? JSON.stringify(decode(data)) : data.toString());
  });
  const closed = once(ws, "close") as Promise<[code: number]>;
  await once(ws, "open");
  onTestFinished(() => ws.terminate());
  return {
    ws,
    frames,
    /** For each frame. */
    isBinaryOf,
    closed,
    send: (message: unknown) => ws.send(frameOf[encoding](message)),
    /** Resolves to all frames once this many have arrived. */
    async heard(count: number): Promise<unknown[]> {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThanOrEqual(count), {
        interval: 2,
        timeout: 120_000,
      });
      return frames.map((frame) => JSON.parse(frame) as unknown);
    },
  };
}

describe.each(CASES)("%s in %s", (which, encoding) => {
  const experimental_encoder = encoding === "JSON" ? undefined : msgpackEncoder;
  async function open(options: Options = {}) {
    const seen: string[] = [];
    const errors = { count: 0 };
    const router = createTestRouter(seen);
    const wss = new WebSocketServer({ noServer: true, autoPong: which !== "ours" });
    const handler = HANDLERS[which](
      wss,
      router,
      {
        createContext: options.createContext ?? (async () => ({ user: "ann" })),
        ping: options.ping ?? { intervalMs: 30_000, timeoutMs: 5000 },
        experimental_encoder,
      },
      () => {
        errors.count += 1;
        throw new Error("a listener that fails harms no other");
      },
    );
    const server = createServer();
    server.on("upgrade", (req, socket, head) => {
      wss.handleUpgrade(req, socket, head, (ws) => handler.serve(ws, socket, req));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(async () => {
      for (const ws of wss.clients) ws.terminate();
      await new Promise((resolve) => server.close(resolve));
    });
    return {
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      seen,
      errors,
      reconnect: () => handler.reconnect(),
      handOver: handler.handOver,
    };
  }

  test("answers a query and a mutation, with the transformer's meta", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send(query(1, "who"));
    client.send(mutation("two", "add", { a: 1, b: 2 }));
    client.send(query(3, "when"));
    client.send(mutation(4, "nothing"));
    const heard = await client.heard(4);
    expect(heard).toContainEqual(data(1, "ann"));
    expect(heard).toContainEqual(data("two", 3));
    expect(client.frames).toContain(
      '{"id":3,"result":{"type":"data","data":{"json":{"at":"1970-01-01T00:00:00.000Z","none":null,"many":[1]},"meta":{"values":{"at":["Date"],"none":["undefined"],"many":["set"]},"v":1}}}}',
    );
    expect(heard).toContainEqual(
      expect.objectContaining({ id: 4, result: expect.objectContaining({ type: "data" }) }),
    );
  });

  test("answers each message of a batch", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send([query(1, "who"), mutation(2, "add", { a: 2, b: 2 }), subscription(3, "plain")]);
    const heard = await client.heard(6);
    expect(heard).toContainEqual(data(1, "ann"));
    expect(heard).toContainEqual(data(2, 4));
    expect(heard).toContainEqual(started(3));
    expect(heard).toContainEqual(stopped(3));
  });

  test("echoes `jsonrpc` if the request had it", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send({ ...query(1, "who"), jsonrpc: "2.0" });
    await client.heard(1);
    client.send({ ...query(2, "fail"), jsonrpc: "2.0" });
    await client.heard(2);
    client.send({ ...subscription(3, "count", 1), jsonrpc: "2.0" });
    await client.heard(5);
    expect(client.frames.every((frame) => frame.includes(',"jsonrpc":"2.0",'))).toBe(true);
    expect(client.frames[0]).toBe(
      '{"id":1,"jsonrpc":"2.0","result":{"type":"data","data":{"json":"ann"}}}',
    );
  });

  test("sends a subscription: started, its values with their ids, stopped", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(7, "count", 2));
    await client.heard(4);
    expect(client.frames).toEqual([
      '{"id":7,"result":{"type":"started"}}',
      entry(1),
      entry(2),
      '{"id":7,"result":{"type":"stopped"}}',
    ]);
  });

  test("sends values without ids, and observables", async () => {
    const { url, seen } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(1, "plain"));
    await client.heard(4);
    client.send(subscription(2, "observed"));
    const heard = await client.heard(8);
    expect(heard[1]).toEqual(data(1, "a"));
    expect(heard[2]).toMatchObject({ result: { data: { json: { b: "1" } } } });
    expect(heard.slice(4)).toEqual([started(2), data(2, 1), data(2, 2), stopped(2)]);
    await vi.waitFor(() => expect(seen).toEqual(["unsubscribed"]));
  });

  test("ends a subscription that its client stops, and frees the id", async () => {
    const { url, seen } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(1, "endless"));
    await client.heard(2);
    client.send(stop(1));
    expect((await client.heard(3))[2]).toEqual(stopped(1));
    expect(seen).toEqual(["aborted", "finally"]);
    client.send(stop(1));
    client.send(stop("never was"));
    client.send(subscription(1, "count", 1));
    expect(await client.heard(6)).toEqual([
      started(1),
      data(1, 1),
      stopped(1),
      started(1),
      expect.objectContaining({ id: 1 }),
      stopped(1),
    ]);
  });

  test("aborts running procedures when the connection closes", async () => {
    const { url, seen } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(1, "endless"));
    await client.heard(2);
    client.ws.terminate();
    await vi.waitFor(() => expect(seen).toEqual(["aborted", "finally"]));
  });

  test("refuses an id that is in use, and the first subscription continues", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(1, "endless"));
    await client.heard(2);
    client.send(subscription(1, "count", 3));
    expect((await client.heard(3))[2]).toEqual(failed(1, "BAD_REQUEST", "Duplicate id 1"));
    client.send(stop(1));
    expect((await client.heard(4))[3]).toEqual(stopped(1));
  });

  test.each<[string, unknown, unknown]>([
    ["an unknown procedure", query(1, "no.such"), failed(1, "NOT_FOUND")],
    ["a query that is a mutation", query(1, "add"), failed(1, "NOT_FOUND")],
    ["bad input", mutation(1, "add", { a: "x" }), failed(1, "BAD_REQUEST")],
    ["a procedure's own error", query(1, "fail"), failed(1, "CONFLICT", "not now")],
    ["an iterable from a query", query(1, "iterableQuery"), failed(1, "UNSUPPORTED_MEDIA_TYPE")],
    ["an output without words", query(1, "unserialisable"), failed(1, "INTERNAL_SERVER_ERROR")],
    [
      "an error without words",
      query(1, "unspeakable"),
      expect.objectContaining({
        id: 1,
        error: {
          json: {
            code: -32603,
            message: "Internal server error",
            data: { code: "INTERNAL_SERVER_ERROR", httpStatus: 500 },
          },
        },
      }),
    ],
    ["a subscription that is refused", subscription(1, "neverBegins"), failed(1, "FORBIDDEN")],
    [
      "a subscription to nothing",
      subscription(1, "notIterable"),
      failed(1, "INTERNAL_SERVER_ERROR"),
    ],
    ["no id", query(null, "who"), failed(null, "PARSE_ERROR", "`id` is required")],
    ["an invalid id", query({}, "who"), failed(null, "PARSE_ERROR")],
    ["no method", { id: 1, params: { path: "who" } }, failed(null, "PARSE_ERROR")],
    ["another method", { ...query(1, "who"), method: "delete" }, failed(null, "PARSE_ERROR")],
    ["no params", { id: 1, method: "query" }, failed(null, "PARSE_ERROR")],
    ["no path", { id: 1, method: "query", params: { input: {} } }, failed(null, "PARSE_ERROR")],
    ["another jsonrpc", { ...query(1, "who"), jsonrpc: "1.0" }, failed(null, "PARSE_ERROR")],
    ["a number", 7, failed(null, "PARSE_ERROR")],
    ["null", null, failed(null, "PARSE_ERROR")],
    ["a bad message in a batch", [query(1, "who"), 7], failed(null, "PARSE_ERROR")],
    [
      "a cursor that is not a string",
      { id: 1, method: "subscription", params: { path: "cursor", input: {}, lastEventId: 7 } },
      failed(null, "PARSE_ERROR"),
    ],
  ])("answers %s with an error, and continues", async (_name, message, error) => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send(message);
    expect(await client.heard(1)).toEqual([error]);
    client.send(query(9, "who"));
    expect((await client.heard(2))[1]).toEqual(data(9, "ann"));
  });

  test.each(Object.entries(BROKEN[encoding]))(
    "answers a frame that is %s with an error, and continues",
    async (_name, frame) => {
      const { url } = await open();
      const client = await talk(url, encoding);
      client.ws.send(frame);
      expect(await client.heard(1)).toEqual([failed(null, "PARSE_ERROR")]);
      client.send(query(9, "who"));
      expect((await client.heard(2))[1]).toEqual(data(9, "ann"));
    },
  );

  test("answers frames of the other type with an error, and an empty batch with nothing", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.send([]);
    const text = JSON.stringify(query(1, "who"));
    client.ws.send(encoding === "JSON" ? Buffer.from(text) : text);
    expect(await client.heard(1)).toEqual([failed(null, "PARSE_ERROR")]);
    client.send(query(9, "who"));
    expect((await client.heard(2))[1]).toEqual(data(9, "ann"));
  });

  test("sends an error in the middle of a subscription, and then that it stopped", async () => {
    const { url, errors } = await open();
    const client = await talk(url, encoding);
    client.send(subscription(1, "breaks"));
    expect(await client.heard(4)).toEqual([
      started(1),
      data(1, 1),
      failed(1, "CONFLICT", "half-way"),
      stopped(1),
    ]);
    expect(errors.count).toBe(1);
  });

  test.each<[string, unknown, unknown]>([
    ["an object", { a: 1 }, { a: 1, lastEventId: "5" }],
    ["nothing", undefined, { lastEventId: "5" }],
    ["a text", "text", "text"],
    ["a list", [1], [1]],
  ])("puts the cursor into an input that is %s", async (_name, input, wanted) => {
    const { url } = await open();
    const client = await talk(url, encoding);
    const message = subscription(1, "cursor", input);
    client.send({ ...message, params: { ...message.params, lastEventId: "5" } });
    const heard = await client.heard(3);
    expect(heard[1]).toEqual(data(1, JSON.stringify(wanted)));
  });

  test("creates the context from the first message if the client requests that", async () => {
    const contexts: unknown[] = [];
    const { url } = await open({
      async createContext({ info, req }) {
        contexts.push(info.connectionParams, req.url);
        return { user: info.connectionParams?.token ?? "guest" };
      },
    });
    const client = await talk(`${url}?connectionParams=1`, encoding);
    client.send({ method: "connectionParams", data: { token: "ada" } });
    client.send(query(1, "who"));
    expect(await client.heard(1)).toEqual([data(1, "ada")]);
    expect(contexts).toEqual([{ token: "ada" }, "/?connectionParams=1"]);
  });

  test.each([
    ["a number", frameOf[encoding](7)],
    ["cut off", BROKEN[encoding]["cut off"] ?? ""],
    ["a token that is no text", frameOf[encoding]({ data: { token: 7 } })],
    ["a list", frameOf[encoding]({ data: [] })],
  ])("refuses connection params that are %s, and closes", async (_name, frame) => {
    const { url } = await open();
    const client = await talk(`${url}?connectionParams=1`, encoding);
    client.ws.send(frame);
    expect((await client.closed)[0]).toBe(1005);
    expect(await client.heard(1)).toEqual([failed(null, "PARSE_ERROR")]);
  });

  test("keeps messages until a slow context is created", async () => {
    const gate = Promise.withResolvers<Context>();
    const { url } = await open({ createContext: () => gate.promise });
    const client = await talk(url, encoding);
    client.send(query(1, "who"));
    client.send([subscription(2, "count", 1), subscription(3, "endless")]);
    client.send(stop(3));
    client.ws.send("PING");
    await vi.waitFor(() => expect(client.frames).toEqual(["PONG"]));
    gate.resolve({ user: "late" });
    await vi.waitFor(() => expect(client.frames).toHaveLength(6));
    const heard = client.frames.slice(1).map((frame) => JSON.parse(frame) as unknown);
    expect(heard).toContainEqual(data(1, "late"));
    expect(heard).toContainEqual(stopped(2));
    // The client stopped it before it began.
    expect(heard).toContainEqual(stopped(3));
    expect(heard).not.toContainEqual(started(3));
  });

  test("sends the reason for a failed context, and closes", async () => {
    const { url, errors } = await open({
      async createContext() {
        throw new TRPCError({ code: "UNAUTHORIZED", message: "who are you" });
      },
    });
    const client = await talk(url, encoding);
    expect((await client.closed)[0]).toBe(1005);
    expect((await client.heard(1))[0]).toEqual(failed(null, "UNAUTHORIZED", "who are you"));
    expect(errors.count).toBe(1);
  });

  test("answers PING", async () => {
    const { url } = await open();
    const client = await talk(url, encoding);
    client.ws.send("PING");
    await vi.waitFor(() => expect(client.frames).toEqual(["PONG"]));
    const ponged = once(client.ws, "pong");
    client.ws.ping("echo");
    expect(String((await ponged)[0])).toBe("echo");
  });

  test("pings a silent client, keeps one that answers, and terminates one that does not", async () => {
    const { url } = await open({ ping: { intervalMs: 20, timeoutMs: 400 } });
    const alive = await talk(url, encoding);
    alive.ws.on("message", () => alive.ws.send("PONG"));
    const silent = await talk(url, encoding);
    expect((await silent.closed)[0]).toBe(1006);
    expect(silent.frames[0]).toBe("PING");
    await vi.waitFor(() => expect(alive.frames.length).toBeGreaterThan(3));
    expect(alive.ws.readyState).toBe(WebSocket.OPEN);
  });

  test("the stock client reconnects when told to, and resumes after its last event", async () => {
    const asked: unknown[] = [];
    const contexts = { count: 0 };
    const { url, reconnect } = await open({
      async createContext() {
        contexts.count += 1;
        return { user: "ann" };
      },
    });
    const socket = createWSClient({
      url,
      retryDelayMs: () => 5,
      ...(experimental_encoder && { experimental_encoder }),
    });
    onTestFinished(() => void socket.close());
    const client = createTRPCClient<Router>({
      links: [wsLink({ client: socket, transformer: superjson })],
    });
    client.stuck.subscribe(undefined, { onData: (value) => asked.push(value) });
    await vi.waitFor(() => expect(asked).toEqual([1]));
    reconnect();
    await vi.waitFor(() => expect(asked).toEqual([1, 1]));
    expect(contexts.count).toBe(2);
    expect(await client.who.query()).toBe("ann");
  });

  test.runIf(which === "ours")(
    "a hand-over tells each client once, including those that reconnected here meanwhile, and lets them go",
    async () => {
      const { url, handOver } = await open();
      const [early, stays, silent] = [
        await talk(url, encoding),
        await talk(url, encoding),
        await talk(url, encoding),
      ];
      for (const client of [early, stays]) {
        client.send(query(1, "who"));
        await client.heard(1);
      }
      const handing = handOver?.(2000);
      await early.heard(2);
      const late = await talk(url, encoding);
      early.ws.close();
      late.send(query(1, "who"));
      await late.heard(2);
      late.ws.close();
      await stays.heard(2);
      stays.ws.close();
      // A client that has asked nothing misses nothing. It could not be told: its encoding is not known.
      expect((await silent.closed)[0]).toBe(1013);
      await handing;
      const RECONNECT = { id: null, method: "reconnect" };
      for (const client of [early, late, stays]) {
        const heard = await client.heard(2);
        expect(heard).toHaveLength(2);
        expect(heard).toEqual(expect.arrayContaining([RECONNECT, data(1, "ann")]));
      }
      expect(silent.frames).toEqual([]);
    },
  );

  test.runIf(which === "ours")(
    "before its first message, a client that declares MessagePack in the address receives nothing in JSON",
    async () => {
      const { url, reconnect } = await open();
      const client = await talk(`${url}?encoding=msgpack`, "MessagePack");
      reconnect();
      expect(await client.heard(1)).toEqual([{ id: null, method: "reconnect" }]);
      const refusing = await open({
        createContext: () => Promise.reject(new TRPCError({ code: "UNAUTHORIZED" })),
      });
      const refused = await talk(`${refusing.url}?encoding=msgpack`, "MessagePack");
      expect(await refused.heard(1)).toEqual([failed(null, "UNAUTHORIZED")]);
      expect([client, refused].flatMap((each) => each.isBinaryOf)).toEqual([true, true]);
    },
  );

  test.runIf(which === "ours")(
    "a client that is to try again later learns so in the encoding of its first message",
    async () => {
      const { url } = await open({
        createContext: () => Promise.reject(new TRPCError({ code: "SERVICE_UNAVAILABLE" })),
      });
      const [client, silent] = [await talk(url, encoding), await talk(url, encoding)];
      client.send(query(1, "who"));
      expect(await client.heard(2)).toEqual([
        failed(null, "SERVICE_UNAVAILABLE"),
        failed(1, "SERVICE_UNAVAILABLE"),
      ]);
      const isBinary = encoding === "MessagePack";
      expect(client.isBinaryOf).toEqual([isBinary, isBinary]);
      expect((await client.closed)[0]).toBe(1013);
      expect((await silent.closed)[0]).toBe(1013);
      expect(await silent.heard(1)).toEqual([failed(null, "SERVICE_UNAVAILABLE")]);
    },
  );

  test("the stock client receives dates, ends, errors and the confirmation of its unsubscription", async () => {
    const { url, seen } = await open();
    const socket = createWSClient({
      url,
      ...(experimental_encoder && { experimental_encoder }),
    });
    onTestFinished(() => void socket.close());
    const client = createTRPCClient<Router>({
      links: [wsLink({ client: socket, transformer: superjson })],
    });
    expect((await client.when.query()).at).toEqual(new Date(0));
    const story: unknown[] = [];
    const handlers = {
      onData: (value: unknown) => story.push(value),
      onComplete: () => story.push("complete"),
      onError: (error: { message: string }) => story.push(error.message),
    };
    client.count.subscribe(1, handlers);
    await vi.waitFor(() =>
      expect(story).toEqual([{ id: "1", data: { n: 1, at: new Date(1) } }, "complete"]),
    );
    client.breaks.subscribe(undefined, handlers);
    await vi.waitFor(() => expect(story.slice(2)).toEqual([1, "half-way"]));
    const endless = client.endless.subscribe(undefined, handlers);
    await vi.waitFor(() => expect(story.slice(4)).toEqual([1]));
    endless.unsubscribe();
    await vi.waitFor(() => expect(seen).toContain("finally"));
  });
});
