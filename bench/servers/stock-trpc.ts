/** A tRPC subscription as in its documentation: an event emitter, `tracked()`, superjson and tRPC's own handler. */
import { EventEmitter, on, once } from "node:events";
import type { AddressInfo } from "node:net";
import { initTRPC, tracked } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import superjson from "superjson";
import { WebSocketServer } from "ws";
import { z } from "zod";
import type { JobEvent } from "#shared/events.ts";
import { servePeer } from "./peer.ts";
import { createSampleEvents } from "./sample-event.ts";

servePeer(async () => {
  const emitter = new EventEmitter().setMaxListeners(0);
  const { jobId, next } = createSampleEvents();
  const t = initTRPC.create({ transformer: superjson });
  const router = t.router({
    job: t.router({
      onUpdate: t.procedure.input(z.object({ jobId: z.uuid() })).subscription(async function* ({
        input,
        signal,
      }) {
        for await (const [event] of on(emitter, input.jobId, signal ? { signal } : {})) {
          const { seq } = event as JobEvent;
          yield tracked(String(seq), event as JobEvent);
        }
      }),
    }),
  });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  applyWSSHandler({ wss: server, router });
  await once(server, "listening");
  const params = { path: "job.onUpdate", input: { json: { jobId } } };
  return {
    opened: {
      port: (server.address() as AddressInfo).port,
      watches: {
        trpc: {
          path: "/trpc",
          says: [{ after: 0, text: JSON.stringify({ id: 1, method: "subscription", params }) }],
          greeting: 1,
        },
      },
    },
    emit(messages) {
      for (const message of messages) emitter.emit(jobId, next(message));
    },
  };
});
