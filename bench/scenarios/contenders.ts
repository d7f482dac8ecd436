/** The contenders, with the names that tables show. */
import type { Contender } from "#bench/delivery.ts";
import { hasNchan, pythonWithServer } from "#bench/installed.ts";

export const JOBWIRE_TRPC: Contender = {
  who: "Jobwire, tRPC",
  program: "servers/jobwire.ts",
  protocol: "trpc",
};
export const JOBWIRE_SOCKETIO: Contender = {
  who: "Jobwire, Socket.IO",
  program: "servers/jobwire.ts",
  protocol: "socketio",
};
export const RAW_WS: Contender = {
  who: "raw ws broadcast",
  program: "servers/raw-ws.ts",
  protocol: "ws",
};
export const STOCK_TRPC: Contender = {
  who: "stock tRPC",
  program: "servers/stock-trpc.ts",
  protocol: "trpc",
};
export const STOCK_SOCKETIO: Contender = {
  who: "stock Socket.IO room",
  program: "servers/stock-socketio.ts",
  protocol: "socketio",
};

export function nchan(): Contender {
  return {
    who: "nginx with nchan (C)",
    program: hasNchan() ? "servers/nchan.ts" : undefined,
    protocol: "ws",
    optional: true,
  };
}
export function pythonSocketio(): Contender {
  return {
    who: "python-socketio, ASGI",
    program: pythonWithServer() === undefined ? undefined : "servers/python-socketio.ts",
    protocol: "socketio",
    optional: true,
  };
}
