/**
 * The target of a request in absolute form (`GET http://jobs.example.com/healthz`), as clients send it to proxies. A server
 * must accept it too: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
import type { IncomingMessage } from "node:http";

const ABSOLUTE = /^https?:\/\/([^/?#\\]+)([/?][^#]*)?$/i;

/**
 * Returns the path and query of the target if it names the same host as the `Host` header. Later checks read only `Host`,
 * and clients must send the same host in both. Any other target is returned unchanged.
 */
export function reducedTarget({ url, headers }: IncomingMessage): string | undefined {
  const [, authority, rest = "/"] = ABSOLUTE.exec(url ?? "") ?? [];
  if (authority === undefined || authority.toLowerCase() !== headers.host?.toLowerCase())
    return url;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
