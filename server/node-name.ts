/** The default name of a gateway. */
import { hostname } from "node:os";

/** Returns the host's name, with a dash for each character that is invalid in NODE_NAME. */
export function defaultNodeName(): string {
  return hostname()
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, 40);
}
