/** Does Socket.IO's WebSocket get through, without polling first? */
import { messageOf } from "#shared/errors.ts";
import { fail, type Finding } from "#shared/finding.ts";
import { openWebSocket } from "./open-websocket.ts";
import { connectPacket, connectedBy } from "./socketio-packets.ts";
import type { Target } from "./target.ts";

const NAME = "websocket socket.io";

export async function checkSocketIo(target: Target, signal: AbortSignal): Promise<Finding> {
  const path = "/socket.io/?EIO=4&transport=websocket";
  const opened = await openWebSocket(target, path, { signal });
  if ("why" in opened) return fail(NAME, opened.why, opened.advice);
  const { socket, messages } = opened;
  try {
    const open = await messages.next();
    if (!open.startsWith("0{")) {
      return fail(NAME, "opens, and something other than Jobwire answers", [
        "The path /socket.io leads to another program.",
        "docs/troubleshooting.md#websocket-connection-failed",
      ]);
    }
    socket.send(connectPacket(target.token));
    return connectedBy(await messages.next(), NAME, target.token);
  } catch (error) {
    return fail(NAME, `opens, and no answer comes: ${messageOf(error)}`, [
      "Something on the way accepts the upgrade and passes no messages on.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ]);
  } finally {
    socket.terminate();
  }
}
