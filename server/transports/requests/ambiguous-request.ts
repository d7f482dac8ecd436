/**
 * Finds requests that this server and a proxy in front of it could read differently. The host check and the choice of the
 * transport would then use another address than the proxy did.
 */
import type { IncomingMessage } from "node:http";

/** Returns a message for the client, or `undefined` if the request is unambiguous. */
export function ambiguity(req: IncomingMessage): string | undefined {
  const hosts = req.headersDistinct.host?.length ?? 0;
  if (hosts > 1) return `This request has ${hosts} Host headers. Send one.`;
  // HTTP/1.0 has no Host header, and the health checks of some proxies use HTTP/1.0.
  if (hosts === 0 && req.httpVersion !== "1.0") return "This request has no Host header. Send one.";
  if (req.url?.startsWith("/") === true) return undefined;
  return "The target of this request is neither a path nor an address with the host of its Host header. Send the path alone.";
}
