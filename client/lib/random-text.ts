/** 128 random bits. `crypto.randomUUID` needs a secure context, and a server on a local network may lack one. */
export function randomText(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
