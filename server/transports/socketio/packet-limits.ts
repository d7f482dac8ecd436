/**
 * Checks the packets of a connection before Socket.IO parses them: the size of each, and the shape of texts (`msgpack-parser.ts`
 * checks that of binary ones). Closes a connection that exceeds a limit.
 */
import { jsonShape } from "#server/transports/requests/json-shape.ts";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
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

/** `isKnown`: the client has joined, so the server knows the caller. */
export function limitPackets(
  connection: Connection,
  isKnown: (connection: Connection) => boolean,
): void {
  let connects = 0;
  connection.on("packet", ({ type, data = "" }: { type: string; data?: string | Buffer }) => {
    if (type !== "message") return;
    if (data.length > MAX_STRANGER_BYTES && !isKnown(connection)) return connection.close(true);
    if (typeof data !== "string") return;
    if (data.startsWith(CONNECT)) connects += 1;
    if (connects > MAX_CONNECTS || jsonShape(data, MAX_PACKET_NESTING).depth > MAX_PACKET_NESTING) {
      connection.close(true);
    }
  });
}
