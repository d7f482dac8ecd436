/**
 * The target of a request in absolute form (`GET http://jobs.example.com/healthz`), as it would be sent to a proxy. A
 * server has to accept it, too: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
import type { IncomingMessage } from "node:http";

const ABSOLUTE = /^https?:\/\/([^/?#\\]+)([/?][^#]*)?$/i;

/**
 * Leaves the path and the query of it, as in any other request, where the target names the very host of the `Host` header:
 * that is the one that is checked, and clients have to send the same. Any other target is left as it is.
 */
export function reduceTarget(req: IncomingMessage): void {
  const [, authority, rest = "/"] = ABSOLUTE.exec(req.url ?? "") ?? [];
  if (authority === undefined || authority.toLowerCase() !== req.headers.host?.toLowerCase())
    return;
  req.url = rest.startsWith("/") ? rest : `/${rest}`;
}
