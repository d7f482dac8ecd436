/**
 * Follows a stream of the API over a WebSocket, with its cursor, until it ends: also over restarts of the server and lost
 * networks. Its entries are complete and in order (SPEC S1).
 *
 *   connecting ──► open ──► ended: the event `end`, or a problem that stays
 *        ▲           │
 *        └── pause ◄─┘ lost, or the server sends its clients to another one
 */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";
import { AppError, messageOf } from "#shared/errors.ts";
import type { Api } from "./api.ts";
import { errorOf, problemIn, unreachable } from "./problem.ts";

const MessageSchema = z.object({ id: z.string().optional(), event: z.string(), data: z.unknown() });

/** A server that does not answer for so long is given up, and connected to again. */
const SILENCE_MS = 45_000;
const PING_MS = 20_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 15_000;
const FIRST_ANSWER_MS = 30_000;
const NORMAL = 1000;
const POLICY_VIOLATION = 1008;

export interface FollowOptions {
  api: Api;
  /** Of the stream, below `/api/v1`. */
  path: string;
  /** The name of its events. */
  event: string;
  signal: AbortSignal;
  onEntry(data: unknown): void;
  /** The connection is lost; `again`: it is there again. */
  onConnection(state: "lost" | "again"): void;
}

/** Resolves when the stream is complete, or `signal` aborts. Rejects for a problem that stays, or if there is no server at first. */
export async function follow(options: FollowOptions): Promise<void> {
  const { signal, onConnection } = options;
  let cursor: string | undefined;
  let wasOpen = false;
  let isLost = false;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const end = await connect({
      ...options,
      cursor,
      onOpen() {
        wasOpen = true;
        failures = 0;
        if (isLost) onConnection("again");
        isLost = false;
      },
      onCursor: (id) => (cursor = id),
    });
    if (signal.aborted || end === "complete") return;
    if (!isPassing(end) || !wasOpen) throw end;
    if (!isLost) onConnection("lost");
    isLost = true;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS);
    await delay(end.retryAfterMs ?? pauseMs, undefined, { signal }).catch(() => {});
  }
}

interface Connection extends FollowOptions {
  cursor: string | undefined;
  onOpen(): void;
  onCursor(id: string): void;
}

/** One connection, until it closes. An error where the stream is not complete. */
function connect(connection: Connection): Promise<"complete" | AppError> {
  const { api, path, event, signal, cursor, onOpen, onCursor, onEntry } = connection;
  const url = api.socketUrl(path, cursor === undefined ? {} : { lastEventId: cursor });
  const socket = new WebSocket(url, { headers: api.headers, handshakeTimeout: FIRST_ANSWER_MS });
  let end: "complete" | AppError | undefined;
  let heardAt = performance.now();
  const heard = () => void (heardAt = performance.now());
  const timer = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MS) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, PING_MS);
  const leave = () => socket.terminate();
  signal.addEventListener("abort", leave);

  function take({ id, event: name, data }: z.infer<typeof MessageSchema>): void {
    if (name === "problem") {
      end = errorOf(data);
      return;
    }
    // Only an event proves that the server lets this caller watch.
    onOpen();
    if (name === "end") end = "complete";
    else if (name === event) onEntry(data);
    if (id !== undefined) onCursor(id);
  }

  socket.on("open", heard).on("ping", heard).on("pong", heard);
  socket.on("message", (raw: Buffer) => {
    heard();
    try {
      take(MessageSchema.parse(JSON.parse(raw.toString("utf8"))));
    } catch (error) {
      end = new AppError("INTERNAL", `${url.host} sent what is no event: ${messageOf(error)}`);
      leave();
    }
  });
  return new Promise((resolve) => {
    socket.on("error", (error) => (end ??= unreachable(url, error)));
    socket.on("unexpected-response", (request, response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.once("end", () => {
        end =
          problemIn(body) ??
          new AppError("UNAVAILABLE", `${url.href} answers with ${response.statusCode}.`);
        request.destroy();
      });
    });
    socket.on("close", (code) => {
      clearInterval(timer);
      signal.removeEventListener("abort", leave);
      resolve(end ?? endOf(code, url));
    });
  });
}

function endOf(code: number, url: URL): AppError {
  if (code === POLICY_VIOLATION) return new AppError("UNAUTHENTICATED", "The credentials ended.");
  const how = code === NORMAL ? "ended early" : `was lost (${code})`;
  return new AppError("UNAVAILABLE", `The connection to ${url.host} ${how}.`);
}

function isPassing({ code }: AppError): boolean {
  return code === "UNAVAILABLE" || code === "RATE_LIMITED";
}
