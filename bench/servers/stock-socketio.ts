/** A Socket.IO room as in its documentation. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { LEGACY, LEGACY_REQUEST, legacyOfJob } from "#shared/legacy.ts";
import { servePeer } from "./peer.ts";
import { createSampleEvents } from "./sample-event.ts";

servePeer(async () => {
  const http = createServer();
  const io = new Server(http, { pingInterval: 3_600_000 });
  const { jobId, next } = createSampleEvents();
  io.on("connection", (socket) => {
    socket.on(LEGACY_REQUEST.subscribeJob, async ({ job_id: room }: { job_id: string }) => {
      await socket.join(room);
      socket.emit(LEGACY.subscribed, { job_id: room });
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const subscribe = `42${JSON.stringify([LEGACY_REQUEST.subscribeJob, { job_id: jobId }])}`;
  return {
    opened: {
      port: (http.address() as AddressInfo).port,
      watches: {
        socketio: {
          path: "/socket.io/?EIO=4&transport=websocket",
          says: [
            { after: 1, text: "40" },
            { after: 2, text: subscribe },
          ],
          greeting: 3,
        },
      },
    },
    emit(messages) {
      for (const message of messages) {
        for (const { name, payload } of legacyOfJob(next(message)))
          io.to(jobId).emit(name, payload);
      }
    },
  };
});
