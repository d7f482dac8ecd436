/** For tests: a WebSocket client that sends any bytes, and shows the frames that the server sends. */
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { type Frame, framesIn } from "./deflate-client.ts";

export interface RawWebSocket {
  /** The server's answer to the handshake. */
  readonly head: string;
  /** Frames so far. */
  readonly frames: readonly Frame[];
  send(...bytes: readonly Uint8Array[]): void;
  /** Resolves to the code in the server's close frame, or to `undefined` if it closes without one. */
  readonly closed: Promise<number | undefined>;
  close(): void;
}

const HEAD_END = "\r\n\r\n";
const CLOSE = 8;

/** `extensions`: the client's `Sec-WebSocket-Extensions`. Closes with the test. */
export async function openRawWebSocket(
  url: string,
  { path = "/", extensions }: { path?: string; extensions?: string } = {},
): Promise<RawWebSocket> {
  const { hostname, port, host } = new URL(url);
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString("base64")}`,
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
  ];
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  onTestFinished(() => void socket.destroy());
  const answered = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<number | undefined>();
  const frames: Frame[] = [];
  let head: string | undefined;
  let rest = Buffer.alloc(0);
  socket.on("data", (read: Buffer) => {
    rest = Buffer.concat([rest, read]);
    if (head === undefined) {
      const end = rest.indexOf(HEAD_END);
      if (end === -1) return;
      head = rest.toString("latin1", 0, end);
      rest = rest.subarray(end + HEAD_END.length);
      answered.resolve(head);
    }
    const found = framesIn(rest);
    rest = Buffer.from(found.rest);
    frames.push(
      ...found.frames.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload) })),
    );
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    answered.reject(new Error("The server closed the connection before it answered."));
    const last = frames.find(({ opcode }) => opcode === CLOSE);
    closed.resolve(last && last.payload.length >= 2 ? last.payload.readUInt16BE() : undefined);
  });
  socket.write(`${lines.join("\r\n")}${HEAD_END}`);
  return {
    head: await answered.promise,
    frames,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    closed: closed.promise,
    close: () => void socket.end(),
  };
}

/** A client's frame. `first`: FIN, RSV and the opcode. Masked with zeros, which change nothing. */
export function clientFrame(first: number, payload: Uint8Array): Buffer {
  const long = payload.length > 125;
  const frame = Buffer.alloc((long ? 8 : 6) + payload.length);
  frame[0] = first;
  frame[1] = 0x80 | (long ? 126 : payload.length);
  if (long) frame.writeUInt16BE(payload.length, 2);
  frame.set(payload, long ? 8 : 6);
  return frame;
}
