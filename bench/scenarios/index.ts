/** All scenarios, in the order in which they run. */
import { authenticatedCalls } from "./authenticated-calls.ts";
import { compressed, compressedTenATick } from "./compressed.ts";
import { logCurve, streamsCurve, watchersCurve } from "./curves.ts";
import { details } from "./details.ts";
import { durableEvents } from "./durable-events.ts";
import { fairness } from "./fairness.ts";
import { hostile } from "./hostile.ts";
import { memory } from "./memory.ts";
import { noisyTenant } from "./noisy-tenant.ts";
import { noopJobs } from "./noop-jobs.ts";
import { reconnect } from "./reconnect.ts";
import { redisEvents } from "./redis-events.ts";
import { redisGateways } from "./redis-gateways.ts";
import { redisHop } from "./redis-hop.ts";
import type { Scenario } from "./scenario.ts";
import { socketioDelivery } from "./socketio-delivery.ts";
import { stalled } from "./stalled.ts";
import { start } from "./start.ts";
import { tenATick } from "./ten-a-tick.ts";
import { trpcDelivery } from "./trpc-delivery.ts";
import { typeCheck } from "./type-check.ts";
import { waitingJobs } from "./waiting-jobs.ts";

export const SCENARIOS: readonly Scenario[] = [
  trpcDelivery,
  tenATick,
  details,
  compressed,
  compressedTenATick,
  socketioDelivery,
  memory,
  stalled,
  hostile,
  durableEvents,
  noopJobs,
  waitingJobs,
  authenticatedCalls,
  noisyTenant,
  fairness,
  redisEvents,
  redisHop,
  redisGateways,
  reconnect,
  start,
  typeCheck,
  watchersCurve,
  streamsCurve,
  logCurve,
];
