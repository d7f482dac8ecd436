/** Metrics on a port of their own, which a firewall can keep from clients. Nothing else is there. */
import type { Logger } from "pino";
import { discardBody } from "#server/transports/requests/body.ts";
import type { Transport } from "#server/transports/contract.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { FAULT } from "#shared/public-message.ts";
import { type Expose, sendMetrics, text } from "./responses.ts";

const PATH = "/metrics";

export function createMetricsTransport(metrics: Expose, log: Pick<Logger, "warn">): Transport {
  const tell = createTroubleLog(log);
  return {
    name: "metrics",
    access: () => "public",
    request(req, res) {
      if (req.method !== "GET" && req.method !== "HEAD") {
        discardBody(req);
        res.setHeader("Allow", "GET, HEAD");
        return text(res, 405, "This address supports only GET and HEAD.");
      }
      if (req.url?.split("?", 1)[0] !== PATH) return text(res, 404, `Not found. Use ${PATH}.`);
      sendMetrics(res, metrics).catch((error: unknown) => {
        tell(error, "The metrics could not be read");
        text(res, 500, FAULT);
      });
    },
    async close() {},
  };
}
