/**
 * Checks the packets of a connection before Socket.IO parses them: the size of each, and the shape of texts (`msgpack-parser.ts`
 * checks that of binary ones). Closes a connection that exceeds a limit.
 */
import { jsonShape } from "#server/transports/requests/json-shape.ts";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
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

const CONNECTS = Symbol("connects");
type Counted = Connection & { [CONNECTS]?: number };

interface Packet {
  readonly type: string;
  readonly data?: string | Buffer;
}

/**
 * Returns a function that limits the packets of a new connection. `isKnown`: the client has joined, so the server knows the
 * caller.
 */
export function createPacketLimits(isKnown: (connection: Connection) => boolean) {
  const onPacket = sharedListener((connection: Counted, { type, data = "" }: Packet) => {
    if (type !== "message") return;
    if (data.length > MAX_STRANGER_BYTES && !isKnown(connection)) return connection.close(true);
    if (typeof data !== "string") return;
    if (data.startsWith(CONNECT)) connection[CONNECTS] = (connection[CONNECTS] ?? 0) + 1;
    if (
      (connection[CONNECTS] ?? 0) > MAX_CONNECTS ||
      jsonShape(data, MAX_PACKET_NESTING).depth > MAX_PACKET_NESTING
    ) {
      connection.close(true);
    }
  });
  return (connection: Connection): void => void connection.on("packet", onPacket);
}
