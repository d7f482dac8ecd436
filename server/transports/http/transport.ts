/** Plain HTTP: health, metrics, the sample pages, and the page itself for everything else. */
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import helmet from "helmet";
import sirv from "sirv";
import type { Transport } from "#server/transports/contract.ts";

export interface HttpOptions {
  /** Where the built page is. */
  clientDir: string;
  /** Resolves when the server can do its work; what it rejects with is shown. */
  ready: () => Promise<void>;
  /** Prometheus' text format. */
  metrics: () => Promise<{ contentType: string; text: string }>;
}

const SAMPLES_DIR = new URL("samples", import.meta.url).pathname;

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
  const samples = sirv(SAMPLES_DIR, { dev: true, etag: true });
  const page = existsSync(options.clientDir)
    ? sirv(options.clientDir, {
        single: true,
        etag: true,
        gzip: true,
        setHeaders(res, path) {
          // Built files carry a hash in their names; the page itself must be asked for anew.
          const cache = path.startsWith("/assets/")
            ? "public, max-age=31536000, immutable"
            : "no-cache";
          res.setHeader("Cache-Control", cache);
        },
      })
    : undefined;

  const routes: Record<string, (res: ServerResponse) => Promise<void>> = {
    async "/healthz"(res) {
      json(res, 200, { status: "ok" });
    },
    async "/readyz"(res) {
      try {
        await options.ready();
        json(res, 200, { status: "ready" });
      } catch (error) {
        json(res, 503, {
          status: "unavailable",
          reason: error instanceof Error ? error.message : String(error),
        });
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
    const path = new URL(req.url ?? "/", "http://server").pathname;
    const route = routes[path];
    if (route !== undefined) {
      void route(res);
    } else if (path === "/samples" || path.startsWith("/samples/")) {
      req.url = (req.url ?? "/").slice("/samples".length) || "/";
      samples(req, res, () => text(res, 404, "There is no such sample page."));
    } else if (page === undefined) {
      text(
        res,
        503,
        "The page is not built yet: run `npm run build`, then start the server again.",
      );
    } else {
      page(req, res, () => text(res, 404, "There is nothing here."));
    }
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
