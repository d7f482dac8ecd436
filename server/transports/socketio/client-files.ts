/** The browser's client, where Socket.IO servers have it: `/socket.io/socket.io.js` and its siblings. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

const FILE = /^\/socket\.io(\/socket\.io(?:\.esm|\.msgpack)?(?:\.min)?\.js(?:\.map)?)$/;
const DIR = fileURLToPath(new URL("client-dist", import.meta.resolve("socket.io/package.json")));

/** Answers a request for one of the files; `false`: it asks for something else. */
export function createClientFiles(): (req: IncomingMessage, res: ServerResponse) => boolean {
  const serve = sirv(DIR, { etag: true });
  return (req, res) => {
    const [path = ""] = (req.url ?? "").split("?");
    const file = FILE.exec(path)?.[1];
    if (file === undefined || (req.method !== "GET" && req.method !== "HEAD")) return false;
    req.url = file;
    serve(req, res, () => void res.writeHead(404).end());
    return true;
  };
}
