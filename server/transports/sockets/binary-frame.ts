import { BINARY, startFrame } from "./frame-start.ts";

/** Encodes a WebSocket frame (RFC 6455, 5.2) of all parts: final, binary, unmasked. */
export function binaryFrame(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = startFrame(BINARY, length);
  let at = frame.length - length;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
