/** Metrics of calls and sign-ins. */
import type { TransportObserver } from "#server/transports/observer.ts";
import { createBoundedLabel } from "./bounded-label.ts";
import type { Instruments } from "./instruments.ts";

export interface CallMetrics {
  readonly observer: TransportObserver;
  /** The procedures that are served from now on, beside the earlier ones. */
  serve(procedures: readonly string[]): void;
}

export function observeCalls({
  callErrors,
  failedCalls,
  signIns,
  credentialsRefused,
}: Instruments): CallMetrics {
  let served: readonly string[] = [];
  let known = createBoundedLabel(served);
  return {
    observer: {
      callFailed(transport, code, procedure) {
        callErrors.inc({ transport, code });
        if (procedure !== undefined) failedCalls.inc({ procedure: known(procedure) });
      },
      credentialsRefused: (reason) => credentialsRefused.inc({ reason }),
      signedIn: (method, outcome) => signIns.inc({ method, outcome }),
    },
    serve(procedures) {
      served = [...served, ...procedures];
      known = createBoundedLabel(served);
      for (const procedure of procedures) failedCalls.inc({ procedure }, 0);
    },
  };
}
