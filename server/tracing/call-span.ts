/** The span of a call of a procedure, by the semantic conventions for RPC. */
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import { contextOfTrace } from "./trace-context.ts";
import { endWithError, tracer } from "./tracer.ts";

/** A context of OpenTelemetry, as those receive it that only pass it on. */
export type Trace = Context;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * The trace that a caller sent: in the headers of a request, or as `traceparent` among the parameters of a WebSocket's
 * connection. What is none is ignored.
 */
export function traceOfCaller(headers: Headers, parameter?: unknown): Trace {
  if (typeof parameter === "string") return contextOfTrace(parameter);
  return propagation.extract(ROOT_CONTEXT, headers);
}

/** Faults of the server. Others are answers that the caller asked for, so they make no span an error. */
const FAULTS: ReadonlySet<string> = new Set(["INTERNAL", "UNAVAILABLE", "DATA_UNUSABLE"]);

/**
 * Runs a call in a span of its own. Its parent is the active span, which an instrumentation of the program's server may have
 * begun; else the caller's. `codeOf`: the code of an error.
 */
export function inCallSpan<T>(
  { system, method }: { system: "trpc" | "http"; method: string },
  caller: Trace | undefined,
  codeOf: (error: unknown) => string,
  call: () => Promise<T>,
): Promise<T> {
  const active = context.active();
  const parent = trace.getSpan(active) === undefined ? (caller ?? active) : active;
  const attributes = { "rpc.system.name": system, "rpc.method": method };
  const span = tracer().startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      const answer = await call();
      span.setAttribute("rpc.response.status_code", "OK");
      return answer;
    } catch (error) {
      const code = codeOf(error);
      span.setAttribute("rpc.response.status_code", code);
      if (FAULTS.has(code)) endWithError(span, code);
      throw error;
    } finally {
      span.end();
    }
  });
}
