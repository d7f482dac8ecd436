/** Encodes the answer to a WebSocket ping (RFC 6455, 5.5.3): final, unmasked, with the ping's payload of at most 125 bytes. */
export function pongFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length);
  frame[0] = 0x8a;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}
