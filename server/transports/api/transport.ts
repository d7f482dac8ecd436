/**
 * JSON over HTTP for programs, below `/api/v1`: calls, and streams as SSE or plain WebSockets. `routes.ts` has all of it, the
 * OpenAPI document describes it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Deadlines } from "#server/transports/callers/deadlines.ts";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { discardBody } from "#server/transports/requests/body.ts";
import {
  answerRaw,
  refuseLimitedUpgrade,
  setRetryAfter,
} from "#server/transports/requests/refusals.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { AppError } from "#shared/errors.ts";
import { acceptedOf, EVENTS_TYPE, JSON_TYPE } from "./accept.ts";
import { answer, callBy, sendJson } from "./answer.ts";
import type { Call } from "./call.ts";
import { createDescription, DESCRIPTION_PROCEDURE, PAGE_PATH } from "./description.ts";
import { createEventStreams } from "./event-streams.ts";
import { type Address, addressOf } from "./input.ts";
import type { Field } from "./input-fields.ts";
import { API, type Matched } from "./match.ts";
import {
  codeOf,
  PROBLEM_TYPE,
  problemOf,
  problemOfRefusal,
  RequestFault,
  statusOf,
} from "./problem.ts";
import type { Method } from "./route.ts";
import { openSockets } from "./sockets.ts";
import { readStreamInput } from "./streaming.ts";
import { allowed, createTable, type Served } from "./table.ts";

/** The headers of an answer that pages of other origins may read. */
const EXPOSED = "Location, Retry-After, ETag, Allow";

/** `basePath`: the path below which a proxy serves this server, or "". */
export function createApiTransport(context: TransportContext, basePath = ""): Transport {
  const { log, observer } = context;
  const table = createTable();
  const types = typesOf(basePath);
  const description = createDescription(table, context, basePath);
  const tell = createTroubleLog(log);
  const deadlines = new Deadlines(context.clock);

  /** The stream that a path below the API opens, with its input as the server reads it. */
  const targetOf: Call["targetOf"] = (text) => {
    const { path, query } = addressOf(text);
    const matched = table.find(path);
    const stream = matched && servedBy(matched, "GET")?.stream;
    if (stream === undefined) {
      const message = "A ticket opens one stream: send its path, such as /jobs/{jobId}/events.";
      throw new AppError("BAD_REQUEST", message);
    }
    const req = { headers: {} } as IncomingMessage;
    const asked = { req, stream, fields: stream.fields, query, params: matched?.params ?? {} };
    return { path: stream.procedure, input: readStreamInput(asked).input };
  };
  const opener = { context, deadlines, targetOf };
  const eventStreams = createEventStreams(opener, context.ping.intervalMs);
  const sockets = openSockets(opener);

  function servedBy({ routes }: Matched, method: Method): Served | undefined {
    const route = routes.get(method);
    return route && table.servedBy(route);
  }

  function report(error: unknown, procedure: string | undefined): void {
    const code = codeOf(error);
    observer?.callFailed("api", code, procedure);
    if (code === "INTERNAL" || code === "DATA_UNUSABLE") {
      log.error({ err: error, procedure }, "A call of the API failed");
    } else {
      if (code === "UNAVAILABLE") tell(error, "A call of the API was refused");
      log.debug({ code, procedure }, "A call of the API was refused");
    }
  }

  function refuse(
    req: IncomingMessage,
    res: ServerResponse,
    { error, procedure, fields }: { error: unknown; procedure?: string; fields?: readonly Field[] },
  ): void {
    report(error, procedure);
    if (!req.complete) discardBody(req);
    const status = statusOf(error);
    setRetryAfter(res, error);
    // RFC 9110 (11.6.1): a 401 names the scheme.
    if (status === 401 && !res.headersSent) res.setHeader("WWW-Authenticate", "Bearer");
    sendJson(res, { status, type: PROBLEM_TYPE }, problemOf(error, types, fields));
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const address = addressBelow(req.url);
    if (description.has(address.path)) return describe(address, req, res);
    const matched = matchedBy(address);
    const { method = "GET" } = req;
    if (method === "OPTIONS") {
      discardBody(req);
      return void res.writeHead(204, { Allow: allowed(matched.routes.keys()) }).end();
    }
    const served = servedBy(matched, (method === "HEAD" ? "GET" : method) as Method);
    if (served === undefined) {
      res.setHeader("Allow", allowed(matched.routes.keys()));
      throw new RequestFault(405, `Use ${[...matched.routes.keys()].join(" or ")}.`);
    }
    await (wantsStream(req, served)
      ? watch(served.stream, { req, res, ...matched })
      : call(served, { req, res, ...matched }));
  }

  async function describe(
    { path }: Address,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    description.assertReads(req, res);
    await callBy({ context, targetOf }, req, DESCRIPTION_PROCEDURE);
    description.send(path, req, res);
  }

  async function watch(
    stream: NonNullable<Served["stream"]>,
    { req, res, query, params }: Called,
  ): Promise<void> {
    const { frames, fields } = stream;
    try {
      await eventStreams.serve({ req, stream, fields, query, params }, res, {
        frames,
        problemOf(reason) {
          report(reason, stream.procedure);
          // Others pass: the client comes back by itself.
          return statusOf(reason) < 500 ? JSON.stringify(problemOf(reason, types)) : undefined;
        },
      });
    } catch (error) {
      refuse(req, res, { error, procedure: stream.procedure, fields });
    }
  }

  async function call({ answer: to }: Served, called: Called): Promise<void> {
    const { req, res } = called;
    if (to === undefined) return;
    const { procedure, fields } = to;
    try {
      await answer({ context, basePath, targetOf }, { answer: to }, called);
    } catch (error) {
      refuse(req, res, { error, procedure, ...(fields && { fields }) });
    }
  }

  function matchedBy({ path, query }: Address): Matched & { query: URLSearchParams } {
    const matched = table.find(path);
    if (matched === undefined) throw new RequestFault(404, `There is no ${API}${path}.`);
    return { ...matched, query };
  }

  const transport: Transport = {
    name: "api",
    refusalType: PROBLEM_TYPE,
    usage: () => [sockets.usage(), eventStreams.usage()],
    access(path) {
      if (path === PAGE_PATH) return "link";
      return path === API || path.startsWith(`${API}/`) ? "data" : undefined;
    },
    mayCompress: ({ url = "" }) => !isSecret(url),
    request(req, res) {
      if (res.hasHeader("access-control-allow-origin")) {
        res.setHeader("Access-Control-Expose-Headers", EXPOSED);
      }
      serve(req, res).catch((error: unknown) => refuse(req, res, { error }));
    },
    refusal: (status, message, retryAfterMs) =>
      refusalOfApi(basePath, {
        status,
        message,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
    upgrade(req, socket, head) {
      try {
        const { query, params, ...matched } = matchedBy(addressBelow(req.url));
        const stream = servedBy({ params, ...matched }, "GET")?.stream;
        if (stream === undefined || req.method !== "GET") {
          throw new RequestFault(404, "No WebSocket is served here.");
        }
        const { frames, fields, procedure } = stream;
        const limited = sockets.serve(
          { req, stream, fields, query, params },
          { socket, head },
          {
            frames,
            problemOf(reason) {
              report(reason, procedure);
              return problemOf(reason, types, fields);
            },
          },
        );
        if (limited !== undefined) refuseLimitedUpgrade(socket, limited, transport);
      } catch (error) {
        report(error, undefined);
        const text = JSON.stringify(problemOf(error, types));
        answerRaw(socket, statusOf(error), { type: PROBLEM_TYPE, text });
      }
    },
    async handOver(ms) {
      await Promise.all([sockets.handOver(ms), eventStreams.handOver(ms)]);
    },
    async close() {
      eventStreams.close();
      await sockets.close();
      deadlines.close();
    },
  };
  return transport;
}

interface Called {
  req: IncomingMessage;
  res: ServerResponse;
  query: URLSearchParams;
  params: Readonly<Record<string, string>>;
}

/** The problem of a request that was refused before it reached the transport, as JSON. */
export function refusalOfApi(
  basePath: string,
  refused: { status: number; message: string; retryAfterMs?: number },
): string {
  return JSON.stringify(problemOfRefusal(refused, typesOf(basePath)));
}

/** The page that explains the codes. */
function typesOf(basePath: string): string {
  return `${basePath}${API}/docs`;
}

function addressBelow(url: string | undefined): Address {
  const { path, query } = addressOf(url ?? "/");
  return { path: path.slice(API.length), query };
}

/** Throws `RequestFault` for a client that accepts neither form. */
function wantsStream(
  { headers }: IncomingMessage,
  served: Served,
): served is Served & { stream: NonNullable<Served["stream"]> } {
  const forms = [...(served.answer ? [JSON_TYPE] : []), ...(served.stream ? [EVENTS_TYPE] : [])];
  const accepted = acceptedOf(headers.accept, forms);
  if (accepted === undefined) throw new RequestFault(406, `Accept ${forms.join(" or ")}.`);
  return accepted === EVENTS_TYPE;
}

/** Answers with a token or a ticket. */
function isSecret(url: string): boolean {
  return url.includes("/shares") || url.includes("/tickets");
}
