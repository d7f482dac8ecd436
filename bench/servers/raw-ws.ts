/** The naive broadcast: each event is serialised once and sent to every socket. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { servePeer } from "./peer.ts";
import { createSampleEvents, trpcText } from "./sample-event.ts";

servePeer(async ({ details, deflate = false }) => {
  const server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    perMessageDeflate: deflate,
  });
  await once(server, "listening");
  const { next } = createSampleEvents(details);
  return {
    opened: {
      port: (server.address() as AddressInfo).port,
      watches: { ws: { path: "/", says: [], greeting: 0 } },
    },
    emit(messages) {
      for (const message of messages) {
        const text = trpcText(next(message));
        for (const client of server.clients) client.send(text);
      }
    },
  };
});
