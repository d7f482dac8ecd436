/**
 * Ends kept-alive connections when the server stops. If the server closes a connection while its client sends the next
 * request, that request is lost, and a python-socketio client that has just connected loses all later ones too. So each
 * answer first announces `Connection: close`.
 */
import type { Server, ServerResponse } from "node:http";

export interface KeepAlive {
  /** Makes every answer from now on end its connection. */
  end(): void;
}

/** Call it before any other listener for requests is added. */
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
  // The head of an event stream has already been sent without `Connection: close`, so Node would keep the connection.
  const { headersSent, socket } = res;
  if (headersSent) res.once("close", () => socket?.destroySoon());
}
