/** Serves the built page: its files, and `index.html` for every other path, which the page's own router shows. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import sirv from "sirv";
import { text } from "./responses.ts";

/**
 * `dev` checks the disk for each request: a build may replace files while the server runs, and a file that is gone then gives a
 * 404, not a broken stream.
 */
export const FILE_OPTIONS = { dev: true, etag: true };

/** Everything in the page is relative to this element. */
const BASE = '<base href="/" />';
/** The name of a file, such as `/favicon.svg`: no path of the page has a dot in its last part. */
const FILE_NAME = /\.[^/]*$/;

type ServePage = (path: string, req: IncomingMessage, res: ServerResponse) => void;

/** `dir`: the folder of the built page; `undefined`: this process serves no page. `basePath`: where the page is. */
export function createPage(dir: string | undefined, basePath: string): ServePage {
  if (dir === undefined) {
    return (_path, _req, res) =>
      text(res, 404, "This is a worker, which only runs jobs. A gateway serves the page.");
  }
  const files = sirv(dir, FILE_OPTIONS);
  const assets = sirv(join(dir, "assets"), {
    ...FILE_OPTIONS,
    // File names contain a hash of the content.
    setHeaders: (res) => res.setHeader("Cache-Control", "public, max-age=31536000, immutable"),
  });
  const index = join(dir, "index.html");

  function missing(res: ServerResponse): void {
    if (existsSync(index)) {
      return text(res, 404, "Not found. If this was a link in the page, reload the page.");
    }
    text(res, 503, "The page is not built yet: run `npm run build`, then reload.");
  }

  function sendIndex(req: IncomingMessage, res: ServerResponse): void {
    if (!existsSync(index)) return missing(res);
    const html = readFileSync(index, "utf8").replace(BASE, `<base href="${basePath}/" />`);
    const etag = `"${createHash("sha256").update(html).digest("base64url")}"`;
    res.setHeader("ETag", etag);
    res.setHeader("Cache-Control", "no-cache");
    if (req.headers["if-none-match"] === etag) return void res.writeHead(304).end();
    res.writeHead(200, {
      "Content-Type": "text/html;charset=utf-8",
      "Content-Length": Buffer.byteLength(html),
    });
    res.end(req.method === "HEAD" ? undefined : html);
  }

  return (path, req, res) => {
    if (path.startsWith("/assets/")) {
      req.url = req.url?.slice("/assets".length);
      assets(req, res, () => missing(res));
    } else if (path === "/index.html" || !FILE_NAME.test(path)) {
      sendIndex(req, res);
    } else {
      files(req, res, () => missing(res));
    }
  };
}
