/** Hand-written HTTP requests: any header, any body, and no retry. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Outcome, Target } from "./attack.ts";

/** Safety net for a server that hangs; generous for slow machines. */
export const PATIENCE_MS = 60_000;

export interface Wanted {
  method?: "GET" | "POST" | "OPTIONS";
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Stops reading at the first match: for streams, which do not end. */
  until?: RegExp;
  patienceMs?: number;
}

/** Resolves to the whole response; without a status if the server hung up first. */
export async function ask(target: Target, path: string, wanted: Wanted = {}): Promise<Outcome> {
  const { method = "GET", headers = {}, body, until, patienceMs = PATIENCE_MS } = wanted;
  const req = request({
    ...target,
    path,
    method,
    agent: false,
    headers: {
      ...(body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }),
      ...headers,
    },
    signal: AbortSignal.timeout(patienceMs),
  });
  req.end(body);
  let response: IncomingMessage;
  try {
    const upgraded = once(req, "upgrade");
    [response] = (await Promise.race([once(req, "response"), upgraded])) as [IncomingMessage];
    if (response.statusCode === 101) req.destroy();
  } catch (error) {
    return { text: `no response: ${String(error)}` };
  }
  let text = "";
  try {
    for await (const part of response.setEncoding("utf8")) {
      text += part as string;
      if (until?.test(text) === true) break;
    }
  } catch (error) {
    text += `\nbroken off: ${String(error)}`;
  }
  req.destroy();
  return { status: response.statusCode, text };
}

export function postJson(target: Target, path: string, body: string): Promise<Outcome> {
  return ask(target, path, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
  });
}

export interface Line {
  readonly socket: Socket;
  /** Everything that was read so far. */
  heard(): string;
  readonly gone: Promise<void>;
}

/** A bare TCP connection. */
export async function openLine({ host, port }: Target): Promise<Line> {
  const socket = connect({ host, port, noDelay: true });
  let heard = "";
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  socket.on("error", () => {});
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await Promise.race([once(socket, "connect"), gone]);
  return { socket, heard: () => heard, gone };
}

/** Bytes that one write passes to a socket. */
const BLOCK = 65_536;
/** After this time without progress, the server counts as not reading. */
const BLOCKED_MS = 1000;

/**
 * Sends `piece` repeatedly, `bytes` in all. Stops early when the server stops reading or the socket is gone. Unsent data
 * waits in the kernel, not in this process.
 */
export async function flood(
  socket: Socket,
  piece: Buffer,
  bytes: number,
  blockedMs = BLOCKED_MS,
): Promise<void> {
  const block = Buffer.concat(Array<Buffer>(Math.ceil(BLOCK / piece.length)).fill(piece));
  for (let sent = 0; sent < bytes && socket.writable; sent += block.length) {
    const last = block.subarray(0, Math.ceil((bytes - sent) / piece.length) * piece.length);
    if (!socket.write(last) && !(await drained(socket, blockedMs))) return;
  }
}

/** `false`: the socket is blocked or gone. */
async function drained(socket: Socket, blockedMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, blockedMs, false);
  const onDrain = () => resolve(true);
  const onClose = () => resolve(false);
  socket.once("drain", onDrain).once("close", onClose);
  const result = await promise;
  clearTimeout(timer);
  socket.off("drain", onDrain).off("close", onClose);
  return result;
}

/** Resolves to whether the promise settled in time. */
export async function settles(promise: Promise<unknown>, ms = PATIENCE_MS): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  const result = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return result;
}
