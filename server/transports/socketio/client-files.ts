/** The browser's client, where Socket.IO servers have it: `/socket.io/socket.io.js` and its siblings. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

const FILE = /^\/socket\.io(\/socket\.io(?:\.esm|\.msgpack)?(?:\.min)?\.js(?:\.map)?)$/;
const DIR = fileURLToPath(new URL("client-dist", import.meta.resolve("socket.io/package.json")));

/** `path`: without the query. */
export function isClientFile(path: string): boolean {
  return FILE.test(path);
}

/** Answers a request for one of the files, whatever its method; `false`: the request is for another path. */
export function createClientFiles(): (req: IncomingMessage, res: ServerResponse) => boolean {
  const serve = sirv(DIR, { etag: true });
  return (req, res) => {
    const [path = ""] = (req.url ?? "").split("?");
    const file = FILE.exec(path)?.[1];
    if (file === undefined) return false;
    // Engine.IO does not look at the path: it would take a POST here for one of a session, past the check of origins.
    if (req.method !== "GET" && req.method !== "HEAD") {
      res.writeHead(405, { Allow: "GET, HEAD" }).end();
      return true;
    }
    req.url = file;
    serve(req, res, () => void res.writeHead(404).end());
    return true;
  };
}
