import { startFrame, TEXT } from "./frame-start.ts";

/** Encodes a WebSocket frame (RFC 6455, 5.2): final, text, unmasked. One buffer is one write; a list would be several. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = startFrame(TEXT, length);
  frame.write(text, frame.length - length);
  return frame;
}
