/**
 * The end of kept-alive connections when the server stops. One that is closed while its client sends the next request
 * costs the client that request, and python-socketio, where it has just connected, all that come after. So each answer
 * says first that it is the last on its connection.
 */
import type { Server, ServerResponse } from "node:http";

export interface KeepAlive {
  /** From now on every answer ends its connection. */
  end(): void;
}

/** To be called before anything else that listens for requests. */
export function createKeepAlive(server: Server): KeepAlive {
  const unanswered = new Set<ServerResponse>();
  let ending = false;

  server.on("request", (_req, res: ServerResponse) => {
    if (ending) return endAfter(res);
    unanswered.add(res);
    res.once("close", () => unanswered.delete(res));
  });

  return {
    end() {
      ending = true;
      unanswered.forEach(endAfter);
      unanswered.clear();
    },
  };
}

function endAfter(res: ServerResponse): void {
  res.shouldKeepAlive = false;
  // The head of an event stream is out already, so that Node would leave the connection open.
  const { headersSent, socket } = res;
  if (headersSent) res.once("close", () => socket?.destroySoon());
}
