/**
 * Trace contexts as text, in the form of W3C Trace Context: `traceparent`, and after a space the `tracestate` if there is one.
 * Jobs are stored with it, whatever propagators a program uses.
 */
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { MAX_TRACE_CHARS } from "#shared/limits.ts";

/** Of version 00. The fields of later ones are not known, and none is stored by another program. */
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/** For the header `traceparent`. `undefined`: no SDK is registered, and the caller sent none. */
export function traceparentOf(context: Context): string | undefined {
  const span = trace.getSpanContext(context);
  return span === undefined || !isSpanContextValid(span) ? undefined : textOf(span);
}

function textOf({ traceId, spanId, traceFlags }: SpanContext): string {
  const flags = (traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0");
  return `00-${traceId}-${spanId}-${flags}`;
}

/** To be stored with a job. A `tracestate` that makes it longer than `MAX_TRACE_CHARS` is left out, as W3C permits. */
export function storedTraceOf(context: Context): string | undefined {
  const traceparent = traceparentOf(context);
  const state = trace.getSpanContext(context)?.traceState?.serialize() ?? "";
  if (traceparent === undefined || state === "") return traceparent;
  const stored = `${traceparent} ${state}`;
  return stored.length > MAX_TRACE_CHARS ? traceparent : stored;
}

/** The context of a stored text, or of a `traceparent`. Another text gives a context without a trace. */
export function contextOfTrace(stored: string | undefined): Context {
  const isShort = stored !== undefined && stored.length <= MAX_TRACE_CHARS;
  const [traceparent = "", ...state] = isShort ? stored.split(" ") : [];
  const [, traceId = "", spanId = "", flags = "0"] = TRACEPARENT.exec(traceparent) ?? [];
  const traceState = state.length === 0 ? undefined : createTraceState(state.join(" "));
  const span: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
    ...(traceState !== undefined && { traceState }),
  };
  return isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}
