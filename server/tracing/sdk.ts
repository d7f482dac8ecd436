/**
 * The SDK of OpenTelemetry, for the application. `start-tracing.ts` imports it where a variable asks for traces: its packages are
 * optional peers of the published package. It reads the standard variables from the environment of the process.
 */
import {
  type Attributes,
  context,
  diag,
  DiagLogLevel,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace,
} from "@opentelemetry/api";
import {
  CompositePropagator,
  type ExportResult,
  ExportResultCode,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-node";
import type { Logger } from "pino";
import { wholeMessageOf } from "#shared/errors.ts";

export type PropagatorName = "tracecontext" | "baggage";

interface SdkOptions {
  propagators: readonly PropagatorName[];
  /** Of the resource, unless the environment says otherwise. */
  defaults: Attributes;
  /** `undefined`: the log is not open yet. */
  log: () => Pick<Logger, "info" | "warn"> | undefined;
}

/** How long the last spans may take to be exported at the end. */
const FLUSH_MS = 2000;

const PROPAGATORS: Record<PropagatorName, () => TextMapPropagator> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
};

export interface Sdk {
  /** Exports what is left, in `FLUSH_MS` at most. */
  end(): Promise<void>;
  /** Sentences about variables that it ignores, for people. */
  notes: readonly string[];
}

/**
 * Registers the SDK; `undefined`: the program has registered one itself, for example while the module of its kinds loaded. Spans wait
 * for their export in a bounded queue, and are lost beyond it, so a collector that is down or hangs costs no more than that memory.
 */
export function startSdk({ propagators, defaults, log }: SdkOptions): Sdk | undefined {
  if (hasSdk()) return undefined;
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  diag.setLogger(
    { error: note, warn: note, info: ignored, debug: ignored, verbose: ignored },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const resource = defaultResource()
    .merge(resourceFromAttributes(defaults))
    .merge(detectResources({ detectors: [envDetector] }));
  const exporter = tellTrouble(new OTLPTraceExporter(), log);
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  // Later on it would say of each export that it failed.
  diag.disable();
  provider.register({
    propagator: new CompositePropagator({
      propagators: propagators.map((name) => PROPAGATORS[name]()),
    }),
  });
  return {
    notes,
    async end() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

function ignored(): void {}

function hasSdk(): boolean {
  const provider = trace.getTracerProvider();
  const nothing = new ProxyTracerProvider().getDelegate();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== nothing;
}

/** One line of the log when the trouble begins, and one when it ends. */
function tellTrouble(exporter: SpanExporter, log: SdkOptions["log"]): SpanExporter {
  let isFailing = false;
  function tell({ code, error }: ExportResult): void {
    const fails = code === ExportResultCode.FAILED;
    if (fails === isFailing) return;
    isFailing = fails;
    // The export runs in the context of the first of its spans, to which these lines do not belong.
    context.with(ROOT_CONTEXT, () => {
      if (!fails) return log()?.info("Traces are exported again");
      const reason = wholeMessageOf(error);
      log()?.warn(
        { reason },
        "Traces cannot be exported. Spans are lost until the collector takes them",
      );
    });
  }
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        tell(result);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
