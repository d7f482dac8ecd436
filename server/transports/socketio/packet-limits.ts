/** Limits on what a connection sends, before Socket.IO takes it apart. Beyond them it is closed. */
import { jsonShape } from "#server/transports/json-shape.ts";
import type { Connection } from "./connection-writer.ts";

/**
 * A connection joins once, or a few times where its client leaves and comes back on it. Each attempt costs the server an
 * object and an authentication, and a single message of a megabyte can hold hundreds of thousands.
 */
const MAX_CONNECTS = 8;
/** Levels of a payload. It is parsed and compared with a form, and no code recurses over it. */
const MAX_PACKET_NESTING = 10_000;
/** Socket.IO's CONNECT packet begins with this. */
const CONNECT = "0";

export function limitPackets(connection: Connection): void {
  let connects = 0;
  connection.on("packet", ({ type, data }: { type: string; data?: unknown }) => {
    if (type !== "message" || typeof data !== "string") return;
    if (data.startsWith(CONNECT)) connects += 1;
    if (connects > MAX_CONNECTS || jsonShape(data, MAX_PACKET_NESTING).depth > MAX_PACKET_NESTING) {
      connection.close(true);
    }
  });
}
