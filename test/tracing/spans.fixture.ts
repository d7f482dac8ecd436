/** An SDK of OpenTelemetry that keeps the spans in memory, registered for the tests of one file. */
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeAll, beforeEach } from "vitest";

/** A span as tests compare it. */
export interface Seen {
  name: string;
  kind: string;
  id: string;
  /** `undefined`: it begins its trace. */
  parent: string | undefined;
  trace: string;
  isError: boolean;
  attributes: Record<string, unknown>;
  events: string[];
}

/** Call it at the top of the file. Returns what reads the spans that have ended, in the order in which they began. */
export function useSpans(): () => Seen[] {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  beforeAll(() => provider.register());
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    await provider.shutdown();
    // The next file of this process has none.
    for (const each of [trace, context, propagation]) each.disable();
  });
  return () => exporter.getFinishedSpans().toSorted(byStart).map(seenOf);
}

function byStart(a: ReadableSpan, b: ReadableSpan): number {
  return a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1];
}

function seenOf(span: ReadableSpan): Seen {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    id: spanId,
    parent: span.parentSpanContext?.spanId,
    trace: traceId,
    isError: span.status.code === SpanStatusCode.ERROR,
    attributes: { ...span.attributes },
    events: span.events.map(({ name }) => name),
  };
}
