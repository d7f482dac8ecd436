/** The table of docs/metrics.md, made from the definitions. Prints it. */
import { type MetricDefinition, METRICS } from "#server/metrics/definitions.ts";
import { tableOf } from "./config-table.ts";

export function metricsTable(
  metrics: Readonly<Record<string, MetricDefinition>> = METRICS,
): string {
  return tableOf([
    ["metric", "type", "labels", "meaning"],
    ...Object.values(metrics).map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      Object.entries(labels)
        .map(([label, values]) => `\`${label}\`: ${valuesOf(values)}`)
        .join("; "),
      help,
    ]),
  ]);
}

/** Long lists have a place of their own in the code. */
const MAX_VALUES = 8;

function valuesOf(values: readonly string[] | string): string {
  if (typeof values === "string") return values;
  const shown = values.slice(0, MAX_VALUES).map((value) => `\`${value}\``);
  return (
    shown.join(", ") + (values.length > MAX_VALUES ? ` and ${values.length - MAX_VALUES} more` : "")
  );
}

if (import.meta.main) console.log(metricsTable());
