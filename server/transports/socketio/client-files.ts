/** Serves the browser's client at the usual paths of Socket.IO servers: `/socket.io/socket.io.js` and its siblings. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

const FILE = /^\/socket\.io(\/socket\.io(?:\.esm|\.msgpack)?(?:\.min)?\.js(?:\.map)?)$/;
const DIR = fileURLToPath(new URL("client-dist", import.meta.resolve("socket.io/package.json")));

/** `path` has no query. */
export function isClientFile(path: string): boolean {
  return FILE.test(path);
}

/** Answers a request of any method for one of the files. Returns `false` if the request is for another path. */
export function createClientFiles(): (req: IncomingMessage, res: ServerResponse) => boolean {
  const serve = sirv(DIR, { etag: true });
  return (req, res) => {
    const [path = ""] = (req.url ?? "").split("?");
    const file = FILE.exec(path)?.[1];
    if (file === undefined) return false;
    // Engine.IO ignores the path: it would treat a POST here as one of a session, and bypass the check of origins.
    if (req.method !== "GET" && req.method !== "HEAD") {
      res.writeHead(405, { Allow: "GET, HEAD" }).end();
      return true;
    }
    req.url = file;
    serve(req, res, () => void res.writeHead(404).end());
    return true;
  };
}
