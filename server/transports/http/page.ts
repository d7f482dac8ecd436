/** Serves the built page: its files, and `index.html` for every other path, which the page's own router shows. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import sirv from "sirv";
import { type Coding, codingFor } from "#server/transports/requests/accept-encoding.ts";
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

const VARY = "Origin, Accept-Encoding";

type ServePage = (path: string, req: IncomingMessage, res: ServerResponse) => void;

/** The build writes a copy of each file for each of these (`scripts/precompress.ts`). */
const CODINGS: readonly Coding[] = ["br", "gzip"];

/**
 * `dir`: the folder of the built page; `undefined`: this process serves no page. `basePath`: where the page is.
 * `compression`: send the compressed copies of its files.
 */
export function createPage(
  dir: string | undefined,
  basePath: string,
  compression = false,
): ServePage {
  if (dir === undefined) {
    return (_path, _req, res) =>
      text(res, 404, "This is a worker, which only runs jobs. A gateway serves the page.");
  }
  const files = sirv(dir, FILE_OPTIONS);
  const assets = sirv(join(dir, "assets"), {
    ...FILE_OPTIONS,
    brotli: compression,
    gzip: compression,
    setHeaders(res) {
      // File names contain a hash of the content.
      res.setHeader("Cache-Control", "public, max-age=31536000, immutable");
      // sirv replaces the one of `handler.ts`.
      if (compression) res.setHeader("Vary", VARY);
    },
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
    // Weak, because its bytes can be compressed.
    const etag = `W/"${createHash("sha256").update(html).digest("base64url")}"`;
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
      // sirv looks for the names of codings, and for no weights.
      const coding = codingFor(req.headers["accept-encoding"], CODINGS);
      req.headers["accept-encoding"] = coding ?? "identity";
      if (compression) res.setHeader("Vary", VARY);
      assets(req, res, () => missing(res));
    } else if (path === "/index.html" || !FILE_NAME.test(path)) {
      sendIndex(req, res);
    } else {
      files(req, res, () => missing(res));
    }
  };
}
