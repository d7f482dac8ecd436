/** The instruments of the metrics, which count and measure. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type MetricDefinition, type MetricKey, METRICS } from "./definitions.ts";

type LabelOf<K extends MetricKey> = keyof (typeof METRICS)[K]["labels"] & string;
type InstrumentOf<K extends MetricKey> = {
  counter: Counter<LabelOf<K>>;
  gauge: Gauge<LabelOf<K>>;
  histogram: Histogram<LabelOf<K>>;
}[(typeof METRICS)[K]["type"]];

export type Instruments = { readonly [K in MetricKey]: InstrumentOf<K> };

/** Counters whose values of labels are all known begin with 0, so that their first increase is seen. */
export function createInstruments(registry: Registry): Instruments {
  const made = Object.entries(METRICS).map(([key, definition]) => [
    key,
    instrumentOf(definition, registry),
  ]);
  // Sound because each is made by the definition of its key.
  return Object.fromEntries(made) as Instruments;
}

function instrumentOf(definition: MetricDefinition, registry: Registry) {
  const { type, name, help, labels, buckets } = definition;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (type) {
    case "counter": {
      const counter = new Counter(options);
      for (const values of combinationsOf(labels)) counter.inc(values, 0);
      return counter;
    }
    case "gauge":
      return new Gauge(options);
    case "histogram":
      return new Histogram({ ...options, ...(buckets && { buckets: [...buckets] }) });
  }
}

/** None where the values of a label are not known. */
function combinationsOf(labels: MetricDefinition["labels"]): Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    if (typeof values === "string") return [];
    combinations = combinations.flatMap((each) =>
      values.map((value) => ({ ...each, [label]: value })),
    );
  }
  return combinations;
}
