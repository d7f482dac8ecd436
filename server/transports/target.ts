/**
 * The target of a request in absolute form (`GET http://jobs.example.com/healthz`), as clients send it to proxies. A server
 * must accept it too: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
import type { IncomingMessage } from "node:http";

const ABSOLUTE = /^https?:\/\/([^/?#\\]+)([/?][^#]*)?$/i;

/**
 * Reduces the target to its path and query if it names the same host as the `Host` header. Later checks read only `Host`,
 * and clients must send the same host in both. Any other target stays unchanged.
 */
export function reduceTarget(req: IncomingMessage): void {
  const [, authority, rest = "/"] = ABSOLUTE.exec(req.url ?? "") ?? [];
  if (authority === undefined || authority.toLowerCase() !== req.headers.host?.toLowerCase())
    return;
  req.url = rest.startsWith("/") ? rest : `/${rest}`;
}
