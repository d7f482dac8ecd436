/** Bounds the number of open connections: the server closes any further one at once. */
import type { Server } from "node:http";
import type { Logger } from "pino";

const LOG_EVERY_MS = 10_000;

/** `now`: milliseconds of a clock that never goes back. */
export function limitConnections(
  server: Server,
  max: number,
  log: Pick<Logger, "warn">,
  now: () => number = () => performance.now(),
): void {
  server.maxConnections = max;
  let dropped = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;

  server.on("drop", () => {
    dropped += 1;
    if (now() - loggedAt < LOG_EVERY_MS) return;
    log.warn(
      { dropped, max },
      "Connections were closed: MAX_CONNECTIONS are open. Raise it, or add a gateway.",
    );
    loggedAt = now();
    dropped = 0;
  });
}
