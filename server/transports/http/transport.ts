/** Plain HTTP: health, metrics, the static sites, and the page for every other address. */
import type { IncomingMessage, ServerResponse } from "node:http";
import helmet from "helmet";
import type { Logger } from "pino";
import sirv from "sirv";
import { ROUTES, refusalFor } from "#server/auth/permissions.ts";
import { discardBody } from "#server/transports/requests/body.ts";
import type { Limits } from "#server/limits/open.ts";
import type { Identify, Transport } from "#server/transports/contract.ts";
import { setRetryAfter } from "#server/transports/requests/refusals.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { createPage, FILE_OPTIONS } from "./page.ts";
import { type Expose, json, sendMetrics, text } from "./responses.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { FAULT, publicMessageOf } from "#shared/public-message.ts";

export interface HttpOptions {
  /** The folder of the built page. `undefined`: this process serves no page. */
  clientDir: string | undefined;
  /** The path below which the page is: `/jobs`, or "". */
  basePath: string;
  /** Serves the compressed copies of the page's files to clients that accept them. */
  compression?: boolean | undefined;
  /** Folders of static files beside the page. */
  sites: readonly StaticSite[];
  /** Resolves when the server can do its work, and rejects with the reason when it cannot. */
  ready: () => Promise<Readiness>;
  /** Prometheus' text format. `undefined`: it has a port of its own. */
  metrics: Expose | undefined;
  identify: Identify;
  limits?: Limits | undefined;
  log: Pick<Logger, "warn">;
}

interface StaticSite {
  /** Begins and ends with a slash: `/guide/`. */
  path: string;
  dir: string;
  /** The message for a file that does not exist. */
  notFound: string;
}

export interface Readiness {
  /** The number of live workers. Absent if this process runs jobs itself. */
  workers?: number;
  /** A defect that does not stop the server from serving requests. */
  note?: string;
}

export const HTTP_ROUTES = ["/healthz", "/readyz", "/metrics"] as const;
type HttpRoute = (typeof HTTP_ROUTES)[number];

function isRoute(path: string): path is HttpRoute {
  return (HTTP_ROUTES as readonly string[]).includes(path);
}

export function createHttpTransport(options: HttpOptions): Transport {
  const secure = helmet({
    contentSecurityPolicy: {
      directives: {
        connectSrc: ["'self'", "ws:", "wss:"],
        // Only progress bars have an inline style: their width.
        styleSrc: ["'self'", "'unsafe-inline'"],
        // The server speaks plain HTTP. A proxy with TLS in front of it redirects browsers itself.
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
    // The window in which a person signs in at a provider closes itself at the end, so it must not be cut off from the page.
    crossOriginOpenerPolicy: { policy: "same-origin-allow-popups" },
  });
  const tell = createTroubleLog(options.log);
  const sites = options.sites.map((site) => ({ ...site, serve: sirv(site.dir, FILE_OPTIONS) }));
  const siteOf = (path: string) => sites.find((site) => `${path}/`.startsWith(site.path));
  const page = createPage(options.clientDir, options.basePath, options.compression);

  const { metrics } = options;
  const routes: Readonly<Record<HttpRoute, Route>> = {
    async "/healthz"(res) {
      json(res, 200, { status: "ok" });
    },
    async "/readyz"(res) {
      try {
        json(res, 200, { status: "ready", ...(await options.ready()) });
      } catch (error) {
        tell(error, "The server is not ready");
        json(res, 503, { status: "unavailable", reason: publicMessageOf(error) });
      }
    },
    async "/metrics"(res) {
      if (metrics === undefined) return text(res, 404, "Metrics have a port of their own here.");
      await sendMetrics(res, metrics);
    },
  };

  async function answer(path: string, route: Route, req: IncomingMessage, res: ServerResponse) {
    const isElsewhere = path === "/metrics" && metrics === undefined;
    if (!isElsewhere && ROUTES.get(path) !== "anyone") {
      const address = options.limits?.addresses.keyOf(req);
      const { principal } = await options.identify({ headers: req.headers, address });
      const refusal = refusalFor(principal, ROUTES, path);
      if (refusal !== undefined) throw refusal;
    }
    await route(res);
  }

  function serve(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== "GET" && req.method !== "HEAD") {
      discardBody(req);
      res.setHeader("Allow", "GET, HEAD");
      return text(res, 405, "This address supports only GET and HEAD.");
    }
    // An invalid range breaks the stream, and these files are too small to need ranges.
    delete req.headers.range;
    const url = req.url ?? "/";
    const path = url.split("?", 1)[0] ?? "/";
    const route = isRoute(path) ? routes[path] : undefined;
    const site = siteOf(path);
    if (route !== undefined) {
      answer(path, route, req, res).catch((error: unknown) => refuse(res, error));
    } else if (site !== undefined && !path.startsWith(site.path)) {
      res.writeHead(301, { Location: options.basePath + site.path }).end();
    } else if (site !== undefined) {
      req.url = url.slice(site.path.length - 1);
      site.serve(req, res, () => text(res, 404, site.notFound));
    } else if (isRoute(withoutSlashes(path))) {
      // A probe with a misspelt path must not receive the page, which it would take for a healthy answer.
      text(res, 404, `Not found. Use ${withoutSlashes(path)}.`);
    } else {
      page(path, req, res);
    }
  }

  function refuse(res: ServerResponse, error: unknown): void {
    const status = error instanceof AppError ? STATUS[error.code] : undefined;
    if (status === undefined || status >= 500) tell(error, "A request failed");
    // RFC 9110 (11.6.1): a 401 names the scheme.
    if (status === 401) res.setHeader("WWW-Authenticate", "Bearer");
    setRetryAfter(res, error);
    text(res, status ?? 500, status === undefined ? FAULT : publicMessageOf(error));
  }

  return {
    name: "http",
    access: (path) => (isRoute(path) || siteOf(path) !== undefined ? "public" : "page"),
    request(req, res) {
      secure(req, res, () => serve(req, res));
    },
    async close() {},
  };
}

type Route = (res: ServerResponse) => Promise<void>;

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
};

/** Removes doubled slashes and the last one. */
function withoutSlashes(path: string): string {
  return `/${path.split("/").filter(Boolean).join("/")}`;
}
