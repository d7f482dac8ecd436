/**
 * Checks the text packets of a connection before Socket.IO parses them (`msgpack-parser.ts` checks binary ones). Closes a
 * connection that exceeds a limit.
 */
import { jsonShape } from "#server/transports/requests/json-shape.ts";
import type { Connection } from "./connection-writer.ts";

/**
 * A connection joins once, or a few times if its client leaves and rejoins. Each attempt costs the server an object and an
 * authentication, and a single body of a megabyte can hold hundreds of thousands.
 */
export const MAX_CONNECTS = 8;
/** Levels of a payload. High, because no code recurses over a payload: it is only parsed and matched against a schema. */
const MAX_PACKET_NESTING = 10_000;
/** The first character of Socket.IO's CONNECT packet. */
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
