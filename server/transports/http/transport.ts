/** Plain HTTP: health, metrics, the sample pages, and the page itself for everything else. */
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import helmet from "helmet";
import sirv from "sirv";
import type { Transport } from "#server/transports/contract.ts";
import { messageOf } from "#shared/errors.ts";

export interface HttpOptions {
  /** Where the built page is. */
  clientDir: string;
  /** Resolves when the server can do its work; what it rejects with is shown. */
  ready: () => Promise<void>;
  /** Prometheus' text format. */
  metrics: () => Promise<{ contentType: string; text: string }>;
}

const SAMPLES_DIR = fileURLToPath(new URL("samples", import.meta.url));

export function createHttpTransport(options: HttpOptions): Transport {
  const secure = helmet({
    contentSecurityPolicy: {
      directives: {
        connectSrc: ["'self'", "ws:", "wss:"],
        // Progress bars set their width; there is no other inline style.
        styleSrc: ["'self'", "'unsafe-inline'"],
        // The server itself speaks plain HTTP; who puts TLS in front also sends the browser there.
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
  });
  // `dev` looks at the disk for each request: files may be built anew while the server runs, and one that is gone
  // is then a 404 and not a broken stream.
  const files = { dev: true, etag: true };
  const samples = sirv(SAMPLES_DIR, files);
  const page = sirv(options.clientDir, { ...files, single: true });
  const assets = sirv(join(options.clientDir, "assets"), {
    ...files,
    // Their names carry a hash of what is in them.
    setHeaders: (res) => res.setHeader("Cache-Control", "public, max-age=31536000, immutable"),
  });

  const routes: Record<string, (res: ServerResponse) => Promise<void>> = {
    async "/healthz"(res) {
      json(res, 200, { status: "ok" });
    },
    async "/readyz"(res) {
      try {
        await options.ready();
        json(res, 200, { status: "ready" });
      } catch (error) {
        json(res, 503, { status: "unavailable", reason: messageOf(error) });
      }
    },
    async "/metrics"(res) {
      const { contentType, text } = await options.metrics();
      res.writeHead(200, { "Content-Type": contentType }).end(text);
    },
  };

  function serve(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== "GET" && req.method !== "HEAD") {
      res.setHeader("Allow", "GET, HEAD");
      return text(res, 405, "Only GET and HEAD are served here.");
    }
    // Everything here is small, and a range that makes no sense breaks the stream.
    delete req.headers.range;
    const url = req.url ?? "/";
    const path = url.split("?", 1)[0] ?? "/";
    const route = routes[path];
    if (route !== undefined) {
      void route(res).catch((error: unknown) => text(res, 500, messageOf(error)));
    } else if (path === "/samples") {
      res.writeHead(301, { Location: "/samples/" }).end();
    } else if (path.startsWith("/samples/")) {
      req.url = url.slice("/samples".length);
      samples(req, res, () => text(res, 404, "There is no such sample page."));
    } else if (path.startsWith("/assets/")) {
      req.url = url.slice("/assets".length);
      assets(req, res, () => missing(res));
    } else {
      page(req, res, () => missing(res));
    }
  }

  function missing(res: ServerResponse): void {
    if (existsSync(join(options.clientDir, "index.html"))) {
      return text(
        res,
        404,
        "There is nothing here. If this was a link in the page, load it again.",
      );
    }
    text(res, 503, "The page is not built yet: run `npm run build`, then load it again.");
  }

  return {
    name: "http",
    serves: () => true,
    request(req, res) {
      secure(req, res, () => serve(req, res));
    },
    async close() {},
  };
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res
    .writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
    .end(JSON.stringify(body));
}

function text(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${body}\n`);
}
