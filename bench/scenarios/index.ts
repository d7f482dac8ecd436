/** Every scenario, in the order in which they run. */
import type { Scenario } from "./scenario.ts";
import { trpcDelivery } from "./trpc-delivery.ts";

export const SCENARIOS: readonly Scenario[] = [trpcDelivery];
