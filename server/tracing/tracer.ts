/**
 * Jobwire's tracer. It depends on the API alone: without an SDK, which the application or an embedding program registers, spans
 * record nothing.
 */
import { type Span, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";

/** Asked for each time: a program may register its SDK after it has loaded Jobwire. */
export function tracer(): Tracer {
  return trace.getTracer("jobwire");
}

/** Of low cardinality: the code of an error, and never its text, which may have contents of jobs. */
export function endWithError(span: Span, code: string): void {
  span.setAttribute("error.type", code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
