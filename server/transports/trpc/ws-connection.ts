/**
 * One WebSocket that speaks tRPC's protocol, as tRPC's own handler does: the stock client notices no difference.
 *
 * It is bounded (S7). Nothing is read from a client whose socket has no room for answers, nor from one with
 * `MAX_UNDER_WAY` requests that have no answer yet: what it goes on sending waits in its own kernel.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, TRPCError } from "@trpc/server";
import type { CreateWSSContextFnOptions } from "@trpc/server/adapters/ws";
import { parseConnectionParamsFromUnknown, type TRPCRequestInfo } from "@trpc/server/http";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import type { WebSocket } from "ws";
import { createBehind } from "#server/transports/behind.ts";
import { textFrame } from "#server/transports/text-frame.ts";
import type { Wires } from "#server/transports/wires.ts";
import type { FrameOf } from "./entry-frames.ts";
import { createRequests } from "./ws-requests.ts";
import { type Call, NO_CALL, type Responses } from "./ws-responses.ts";

/** What all connections share. */
export interface Shared {
  router: AnyTRPCRouter;
  createContext(options: CreateWSSContextFnOptions): unknown;
  responses: Responses;
  frameOf: FrameOf;
  wires: Wires;
  /** Never throws. */
  report(error: TRPCError, call: Call, context: unknown): void;
}

export interface Connection {
  readonly ws: WebSocket;
  /** Sends a text at once. Dropped where the connection is closing. */
  say(text: string): void;
  /** When something was read last, in milliseconds of `performance.now()`. `undefined`: it is not being read. */
  heardAt(): number | undefined;
}

const MAX_UNDER_WAY = 64;
/** RFC 6455 has no word for it; registered since: try again later. */
const TRY_AGAIN_LATER = 1013;

type Params = TRPCRequestInfo["connectionParams"];
type Admission = { ok: true; context: unknown } | { ok: false; error: TRPCError };

export function openConnection(
  ws: WebSocket,
  socket: Duplex,
  req: IncomingMessage,
  shared: Shared,
): Connection {
  const { router, responses } = shared;
  let heardAt = performance.now();
  let context: unknown;
  let admission: Promise<Admission> | undefined;
  const inbox: { message: TRPCClientOutgoingMessage; index: number }[] = [];
  let underWay = 0;
  const waiting = new Set<() => void>();
  const closed = new AbortController();

  const wire = shared.wires.open(socket, {
    room() {
      behind.resume();
      for (const resolve of waiting) resolve();
      waiting.clear();
      readOn();
    },
    stalled() {
      // It is told when it reads on; until then it costs nothing but its socket.
      ws.close(TRY_AGAIN_LATER, "Nothing was read for too long");
      requests.leave();
    },
  });
  const behind = createBehind(wire.hasRoom);
  const isOpen = () => ws.readyState === ws.OPEN;
  const send = (text: string) => {
    if (isOpen()) wire.write(textFrame(text));
  };
  const requests = createRequests({
    router,
    responses,
    frameOf: shared.frameOf,
    wire,
    behind,
    isOpen,
    send,
    async untilRoom() {
      if (isOpen() && !wire.hasRoom()) await new Promise<void>((resolve) => waiting.add(resolve));
    },
    async context() {
      const admitted = await admission;
      if (admitted?.ok === false) throw admitted.error;
      return context;
    },
    report: (error, call) => shared.report(error, call, context),
    describe: (to, error, call) => responses.error(to, error, call, context),
  });

  async function admit(paramsOf: () => Params): Promise<Admission> {
    try {
      context = await shared.createContext({
        req,
        res: ws,
        info: {
          connectionParams: paramsOf(),
          calls: [],
          isBatchCall: false,
          accept: null,
          type: "unknown",
          signal: closed.signal,
          url: null,
        },
      });
      return { ok: true, context };
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      shared.report(error, NO_CALL, context);
      send(responses.error({ id: null }, error, NO_CALL, context));
      setImmediate(() => ws.close());
      return { ok: false, error };
    }
  }

  function onMessage(data: Buffer, isBinary: boolean): void {
    heardAt = performance.now();
    const text = isBinary ? undefined : data.toString();
    if (text === "PING") send("PONG");
    else if (text !== "PONG") receive(text);
    readOn();
  }

  function receive(text: string | undefined): void {
    if (admission === undefined) {
      admission = admit(() => paramsIn(text));
      return;
    }
    try {
      const json = decode(text);
      const messages = Array.isArray(json) ? json : [json];
      const { transformer } = router._def._config;
      const parsed = messages.map((each: unknown) => parseTRPCMessage(each, transformer));
      for (const [index, message] of parsed.entries()) inbox.push({ message, index });
    } catch (cause) {
      const error = new TRPCError({ code: "PARSE_ERROR", cause });
      send(responses.error({ id: null }, error, NO_CALL, context));
    }
  }

  /** Takes up what was read, and reads more, while there is room for the answers. */
  function readOn(): void {
    while (underWay < MAX_UNDER_WAY && wire.hasRoom()) {
      const next = inbox.shift();
      if (next === undefined) break;
      underWay += 1;
      void requests.handle(next.message, next.index).finally(() => {
        underWay -= 1;
        readOn();
      });
    }
    if (!isOpen()) return;
    if (inbox.length > 0 || !wire.hasRoom()) {
      ws.pause();
    } else if (ws.isPaused) {
      heardAt = performance.now();
      ws.resume();
    }
  }

  // With `connectionParams` the context is made from the first message.
  const query = new URLSearchParams(req.url?.split("?")[1]);
  if (query.get("connectionParams") !== "1") admission = admit(() => null);

  ws.on("message", onMessage);
  ws.on("ping", (data) => {
    heardAt = performance.now();
    if (isOpen() && wire.hasRoom()) ws.pong(data);
    readOn();
  });
  ws.on("error", (cause) => shared.report(getTRPCErrorFromUnknown(cause), NO_CALL, context));
  ws.once("close", () => {
    inbox.length = 0;
    requests.leave();
    for (const resolve of waiting) resolve();
    wire.release();
    closed.abort();
  });

  return {
    ws,
    say(text) {
      send(text);
      wire.flush();
    },
    heardAt: () => (ws.isPaused ? undefined : heardAt),
  };
}

function decode(text: string | undefined): unknown {
  if (text === undefined) throw new Error("Messages are JSON in text frames; this one was binary.");
  return JSON.parse(text);
}

function paramsIn(text: string | undefined): Params {
  let message: unknown;
  try {
    message = decode(text);
    if (typeof message !== "object" || message === null) throw new Error("It is not an object.");
  } catch (cause) {
    throw new TRPCError({
      code: "PARSE_ERROR",
      message: "Malformed TRPCConnectionParamsMessage",
      cause,
    });
  }
  return parseConnectionParamsFromUnknown((message as { data?: unknown }).data);
}
