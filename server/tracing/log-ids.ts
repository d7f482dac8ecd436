/** The ids of the active trace, for lines of the log. */
import { isSpanContextValid, trace } from "@opentelemetry/api";

/** Without an active span: nothing. */
export function logIds(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return {};
  return { trace_id: span.traceId, span_id: span.spanId };
}
