/** WebSockets with hand-written frames, for input that no library sends, and for clients that do not read. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Outcome, Target } from "./attack.ts";
import { ask, PATIENCE_MS, settles } from "./requests.ts";

/** Stall time-out of the attacked servers. */
export const STALL_TIMEOUT_MS = 1000;

/** RFC 6455, 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const FIN = 0x80;
const MASKED = 0x80;
/** Close code without a closing frame. */
const ABNORMAL = 1006;
const LOOK_MS = 20;
/** Safety net for a server that never closes; generous, as it first reads what was sent before. */
export const CLOSING_MS = 180_000;

/** A client's frame, masked with a zero mask that changes nothing. */
export function frame(
  opcode: number,
  payload: string | Buffer = "",
  options: { fin?: boolean; length?: number } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { fin = true, length = bytes.length } = options;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = (fin ? FIN : 0) | opcode;
  head[1] = MASKED | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 8) head.writeUInt16BE(length, 2);
  if (head.length === 14) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, bytes]);
}

export const text = (content: string) => frame(OPCODE.text, content);

export interface RawSocket {
  /** The TCP socket below the WebSocket. */
  readonly socket: Socket;
  /** Received texts, in order. */
  readonly texts: string[];
  /** Resolves when the connection has ended. */
  readonly gone: Promise<void>;
  write(...frames: Buffer[]): void;
  pause(): void;
  resume(): void;
  /** Resolves to whether a matching text arrived before the end. */
  hears(pattern: RegExp): Promise<boolean>;
  /** Resolves to the outcome when the server closes the connection, at the latest after the timeout. */
  untilClosed(ms?: number): Promise<Outcome>;
  /** Destroys the connection without a close handshake. */
  leave(): Outcome;
}

export async function openSocket(target: Target, path: string): Promise<RawSocket> {
  const ws = new WebSocket(`ws://${target.host}:${target.port}${path}`, {
    handshakeTimeout: PATIENCE_MS,
    perMessageDeflate: false,
  });
  const texts: string[] = [];
  let closed: number | undefined;
  ws.on("message", (data: Buffer) => texts.push(data.toString()));
  ws.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    ws.once("close", (code: number) => {
      closed = code;
      resolve();
    });
  });
  /** Waits for the server's closing frame, but not for the end of the connection. */
  async function closing(): Promise<void> {
    while (ws.readyState === WebSocket.OPEN) await delay(LOOK_MS);
  }
  await Promise.race([once(ws, "open"), ended]);
  if (closed !== undefined) throw new Error(`${path} opens no WebSocket.`);
  const { _socket: socket } = ws as unknown as { _socket: Socket };
  // A paused socket does not notice its end; only failing writes do.
  const broken = new Promise<void>((resolve) => {
    socket.once("close", () => {
      closed ??= ABNORMAL;
      resolve();
    });
  });
  const gone = Promise.race([ended, broken]);

  const seen = (): Outcome => ({ text: texts.join("\n"), closed });
  return {
    socket,
    texts,
    gone,
    write(...frames) {
      for (const each of frames) socket.write(each);
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    async hears(pattern) {
      if (texts.some((each) => pattern.test(each))) return true;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const look = (data: Buffer) => {
        if (pattern.test(data.toString())) resolve(true);
      };
      ws.on("message", look);
      await settles(Promise.race([promise, gone]));
      ws.off("message", look);
      return texts.some((each) => pattern.test(each));
    },
    async untilClosed(ms) {
      await settles(closing(), ms);
      closed ??= ws.readyState === WebSocket.OPEN ? undefined : ABNORMAL;
      const outcome = seen();
      ws.terminate();
      return outcome;
    },
    leave() {
      const outcome = seen();
      ws.terminate();
      return outcome;
    },
  };
}

/** Reads nothing until the server ends the connection; reads again if it does not. */
export async function readNothing(raw: RawSocket): Promise<Outcome> {
  if (!(await settles(raw.gone, CLOSING_MS))) raw.resume();
  return raw.untilClosed(STALL_TIMEOUT_MS);
}

export const TRPC = "/trpc";
const socketioPath = (eio: 3 | 4, transport: string, sid?: string) =>
  `/socket.io/?EIO=${eio}&transport=${transport}${sid === undefined ? "" : `&sid=${sid}`}`;
export const SOCKETIO = socketioPath(4, "websocket");
export const SOCKETIO_2 = socketioPath(3, "websocket");

/** Connected to Socket.IO's namespace, so that events are accepted. */
export async function openSocketio(target: Target): Promise<RawSocket> {
  const raw = await openSocket(target, SOCKETIO);
  raw.write(text("40"));
  await raw.hears(/^42\["connection"/);
  return raw;
}

export interface Session {
  post(body: string): Promise<Outcome>;
  poll(): Promise<Outcome>;
  /** Path for an upgrade to WebSocket. */
  readonly upgradePath: string;
  readonly pollPath: string;
}

/** Opens an Engine.IO session over polling that is not connected to a Socket.IO namespace. */
export async function openSession(target: Target, eio: 3 | 4 = 4): Promise<Session> {
  const { text: opened } = await ask(target, socketioPath(eio, "polling"));
  const sid = /"sid":"([^"]+)"/.exec(opened)?.[1];
  if (sid === undefined) throw new Error(`No session was opened: ${opened}`);
  const pollPath = socketioPath(eio, "polling", sid);
  return {
    pollPath,
    upgradePath: socketioPath(eio, "websocket", sid),
    post: (body) => ask(target, pollPath, { method: "POST", body }),
    poll: () => ask(target, pollPath),
  };
}
