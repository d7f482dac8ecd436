/**
 * A connection joins once, or a few times where its client leaves and comes back on it. Each attempt costs the
 * server an object and an authentication, and a single message of a megabyte can hold hundreds of thousands.
 */
import type { Connection } from "./outlet.ts";

const MAX_CONNECTS = 8;
/** Socket.IO's CONNECT packet begins with this. */
const CONNECT = "0";

export function limitConnects(connection: Connection): void {
  let connects = 0;
  connection.on("packet", ({ type, data }: { type: string; data?: unknown }) => {
    if (type !== "message" || typeof data !== "string" || !data.startsWith(CONNECT)) return;
    connects += 1;
    if (connects > MAX_CONNECTS) connection.close(true);
  });
}
