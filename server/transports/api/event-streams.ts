/** The open streams of SSE. */
import type { ServerResponse } from "node:http";
import { EventStreams } from "#server/transports/requests/event-streams.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import type { ConnectionUsage, SentCounts } from "#server/transports/usage.ts";
import { EVENTS_TYPE } from "./accept.ts";
import { EventStream, type EventStreamOptions } from "./event-stream.ts";
import { type Asked, endWithCaller, type Opener, openStream } from "./streaming.ts";

interface EventStreamServer {
  /** Rejects as `openStream` does; then nothing was answered. */
  serve(
    asked: Asked,
    res: ServerResponse,
    options: Pick<EventStreamOptions, "frames" | "problemOf">,
  ): Promise<void>;
  usage(): ConnectionUsage;
  handOver(ms: number): Promise<void>;
  close(): void;
}

export function createEventStreams(opener: Opener, heartbeatMs: number): EventStreamServer {
  const open = new Map<ServerResponse, EventStream>();
  const counts = new EventStreams("api-sse");
  const timer = setInterval(() => {
    for (const stream of open.values()) stream.beat();
  }, heartbeatMs).unref();

  return {
    async serve(asked, res, options) {
      const { caller, after, stream } = await openStream(opener, asked, res);
      if (stream === undefined)
        return void res.writeHead(204, { "Cache-Control": "no-store" }).end();
      // Its client has left.
      if (res.destroyed) return;
      if (asked.req.method === "HEAD")
        return void res.writeHead(200, { "Content-Type": EVENTS_TYPE }).end();
      const sent = entriesOf(counts.add(asked.req, res));
      const { highWaterBytes } = opener.context.backpressure;
      const events = new EventStream(res, { ...options, after, sent, highWaterBytes });
      open.set(res, events);
      // One listener: a response has few before Node takes it for a leak.
      res.once("close", () => {
        open.delete(res);
        opener.deadlines.delete(events);
        events.leave();
      });
      endWithCaller(opener, caller, res, events);
      events.begin(stream);
    },
    usage: () => counts.usage(),
    handOver: (ms) => stagger([...open.keys()], ms, (res) => res.destroy()),
    close() {
      clearInterval(timer);
      for (const res of open.keys()) res.destroy();
    },
  };
}

/** Counts entries alone: the bytes are those of the socket. */
function entriesOf(counts: SentCounts): SentCounts {
  return {
    bytes: 0,
    get entries() {
      return counts.entries;
    },
    set entries(entries) {
      counts.entries = entries;
    },
  };
}
