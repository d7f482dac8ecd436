/** One raw connection: the WebSocket handshake, the protocol's requests, then only counting frames. */
import { connect } from "node:net";
import type { Watch } from "#bench/servers/peer.ts";
import { createFrameCounter, maskedFrame } from "./frames.ts";

export interface Watcher {
  readonly frames: number;
  readonly bytes: number;
  /** Stops and resumes reading. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface WatcherHooks {
  /** Called for each frame; `payload` only if this watcher keeps payloads. */
  onFrame(watcher: Watcher, payload: Buffer | undefined): void;
  onError(error: Error): void;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/** All watchers of a process share `buffer`: each read overwrites it. */
export function openWatcher(
  port: number,
  watch: Watch,
  options: { keep: boolean; buffer: Uint8Array },
  hooks: WatcherHooks,
): Watcher {
  const counter = createFrameCounter(options);
  let said = 0;
  /** Matched bytes of the handshake response's end. */
  let matched = 0;
  let frames = 0;
  let bytes = 0;
  let closed = false;

  function say(): void {
    for (; said < watch.says.length; said += 1) {
      const next = watch.says[said];
      if (next === undefined || next.after > frames) return;
      socket.write(maskedFrame(next.text));
    }
  }

  /** Returns the bytes after the handshake response. */
  function afterHead(read: Uint8Array): Uint8Array {
    for (let at = 0; at < read.length; at += 1) {
      matched = read[at] === HEAD_END[matched] ? matched + 1 : read[at] === HEAD_END[0] ? 1 : 0;
      if (matched < HEAD_END.length) continue;
      const rest = read.subarray(at + 1);
      say();
      hooks.onFrame(watcher, undefined);
      return rest;
    }
    return read.subarray(read.length);
  }

  const socket = connect({
    host: "127.0.0.1",
    port,
    noDelay: true,
    onread: {
      buffer: options.buffer,
      callback(size) {
        bytes += size;
        const read = options.buffer.subarray(0, size);
        counter.take(matched < HEAD_END.length ? afterHead(read) : read, (payload) => {
          frames += 1;
          if (said < watch.says.length) say();
          hooks.onFrame(watcher, payload);
        });
        return true;
      },
    },
  });
  socket.write(handshakeOf(port, watch));
  socket.on("error", hooks.onError);
  socket.on("close", () => {
    if (!closed)
      hooks.onError(new Error(`A server closed a watcher's connection after ${frames} frames.`));
  });

  const watcher: Watcher = {
    get frames() {
      return frames;
    },
    get bytes() {
      return bytes;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      closed = true;
      socket.destroy();
    },
  };
  return watcher;
}

export function handshakeOf(
  port: number,
  { path, headers }: Pick<Watch, "path" | "headers">,
): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString("base64")}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
