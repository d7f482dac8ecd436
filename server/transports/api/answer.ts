/** Answers calls in JSON. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { OF_API, refusalFor } from "#server/auth/permissions.ts";
import { inCallSpan, traceOfCaller } from "#server/tracing/call-span.ts";
import type { TransportContext } from "#server/transports/contract.ts";
import { countCall } from "#server/transports/limits/count-call.ts";
import { AppError } from "#shared/errors.ts";
import { JSON_TYPE } from "./accept.ts";
import { Call } from "./call.ts";
import { inputOfAddress, readBodyOf, ticketIn, withKey } from "./input.ts";
import { API } from "./match.ts";
import { codeOf } from "./problem.ts";
import type { Served } from "./table.ts";

interface Request {
  req: IncomingMessage;
  res: ServerResponse;
  query: URLSearchParams;
  params: Readonly<Record<string, string>>;
}

export interface Answers {
  context: TransportContext;
  /** The path below which a proxy serves this server, or "". */
  basePath: string;
  targetOf: Call["targetOf"];
}

/** Finds out who calls, and whether it may use the procedure. Rejects as `identify` does, with `FORBIDDEN` or `RATE_LIMITED`. */
export async function callBy(
  { context, targetOf }: Omit<Answers, "basePath">,
  req: IncomingMessage,
  procedure: string,
): Promise<Call> {
  const { limits } = context;
  const address = limits?.addresses.keyOf(req);
  const caller = await context.identify({ headers: req.headers, address });
  const refusal = refusalFor(caller.principal, OF_API, procedure);
  if (refusal !== undefined) throw refusal;
  await countCall(limits, caller.principal);
  return new Call(context, caller, targetOf);
}

/** Rejects with the error that is to be answered. */
export async function answer(
  answers: Answers,
  { answer: to }: { answer: NonNullable<Served["answer"]> },
  { req, res, query, params }: Request,
): Promise<void> {
  const { procedure, fields = [] } = to;
  if (ticketIn(query) !== undefined) {
    throw new AppError("UNAUTHENTICATED", "A ticket opens one stream alone.");
  }
  const call = await callBy(answers, req, procedure);
  const body = req.method === "POST" ? await readBodyOf(req) : {};
  // The client has left.
  if (body === undefined) return;
  const given = { ...body, ...inputOfAddress({ query, params }, fields) };
  const keyed = to.keyed === true ? withKey(given, req.headers["idempotency-key"]) : given;
  const input: unknown = to.input.parse(keyed);
  const span = { system: "http", method: procedure } as const;
  const value = await inCallSpan(span, traceOfCaller(req.headers), codeOf, async () =>
    to.run(call, input, () => leftBefore(res)),
  );
  if (to.location !== undefined) {
    const path = to.location(value as { id: string });
    res.setHeader("Location", `${answers.basePath}${API}${path}`);
  }
  if (to.output === undefined) return void res.writeHead(to.status).end();
  sendJson(res, { status: to.status, type: JSON_TYPE }, value);
}

/** Aborts when the connection closes before the whole answer was sent. */
function leftBefore(res: ServerResponse): AbortSignal {
  const left = new AbortController();
  if (res.destroyed) left.abort();
  res.once("close", () => {
    if (!res.writableFinished) left.abort();
  });
  return left.signal;
}

/** Answers are for one caller, and CDNs keep those that do not forbid it. */
export function sendJson(
  res: ServerResponse,
  { status, type }: { status: number; type: string },
  value: unknown,
): void {
  if (res.headersSent || res.destroyed) return;
  res
    .writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" })
    .end(JSON.stringify(value));
}
