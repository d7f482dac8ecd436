/** Metrics of the process and of Node, as prom-client collects them. */
import { collectDefaultMetrics, type Registry } from "prom-client";

/** They list each socket of the process, which takes long where there are many. */
const COSTLY = ["nodejs_active_handles", "nodejs_active_requests", "nodejs_active_resources"];

export function collectProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of COSTLY) {
    registry.removeSingleMetric(name);
    registry.removeSingleMetric(`${name}_total`);
  }
}
