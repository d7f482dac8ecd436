/** The name of a gateway where NODE_NAME is not set. */
import { hostname } from "node:os";

/** The host's name, with a dash for each character that NODE_NAME may not have. */
export function defaultNodeName(): string {
  return hostname()
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, 40);
}
