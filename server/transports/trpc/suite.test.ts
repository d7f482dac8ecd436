import { onRedis } from "#test/engine/data.fixture.ts";
import { createPair, trust } from "#test/tls/certificate.fixture.ts";
import { type Link, openClient, watchJob } from "#test/transports/trpc.fixture.ts";
import { timesOf } from "#test/long-run.ts";
import { COMPRESSED, sendFrames } from "#test/transports/send-frames.ts";
import { transportSuite, type TransportUnderTest } from "#test/transports/transport.suite.ts";
import { createTrpcTransport } from "./transport.ts";

type Hostile = TransportUnderTest["hostile"];

const frames =
  (...sent: (string | Buffer)[]) =>
  (url: string) =>
    sendFrames(`${url.replace("http", "ws")}/trpc`, sent);

const compressed = Object.fromEntries(
  Object.entries(COMPRESSED).map(([name, send]) => [
    name,
    (url: string) => send(`${url.replace("http", "ws")}/trpc`),
  ]),
);

const overWebSocket: Hostile = {
  "no JSON": frames("{", "\u0000", "[[[["),
  "a binary frame": frames(Buffer.from([0xff, 0xfe])),
  "no request": frames("7", "null", "[null]", '{"id":{},"method":[]}'),
  "an unknown method": frames('{"id":1,"method":"no.such","params":{}}'),
  "a subscription to nothing": frames('{"id":1,"method":"subscription","params":{"path":"job"}}'),
  "a stop of nothing": frames('{"id":9,"method":"subscription.stop"}'),
  ...compressed,
};

const get = (path: string) => async (url: string) => (await fetch(`${url}${path}`)).text();

const overSse: Hostile = {
  "an unknown procedure": get("/trpc/no.such"),
  "an input that is not JSON": get("/trpc/job.onUpdate?input=%7B"),
  "an input that is not UTF-8": get("/trpc/job.onUpdate?input=%ff"),
  "an invalid id": get('/trpc/job.onUpdate?input={"json":{"jobId":7}}'),
  "a body that is not JSON": async (url) =>
    (await fetch(`${url}/trpc/job.cancel`, { method: "POST", body: "{" })).text(),
};

const subject = (link: Link, cuts: number, hostile: Hostile): TransportUnderTest => ({
  name: `tRPC over ${link}`,
  create: createTrpcTransport,
  // The stock client's EventSource keeps the address of its first connection, and the token in it.
  capabilities: { cursor: true, multiplexed: link === "ws", renewsToken: link === "ws", cuts },
  openClient({ url, token }) {
    const client = openClient(url, link, token);
    return {
      watchJob(jobId, lastEventId) {
        const notes = watchJob(client, { jobId, lastEventId, follow: true });
        return {
          shown: () => notes.data,
          errors: () => notes.errors.map(({ data }) => data?.appCode ?? "none"),
          stop: () => notes.unsubscribe(),
        };
      },
    };
  },
  hostile,
});

transportSuite(subject("ws", 5, overWebSocket));
// An EventSource waits three seconds before it reconnects.
transportSuite(subject("sse", 2, overSse));

// TLS is the same with either engine.
if (!onRedis) {
  const tls = await createPair();
  trust(tls);
  // Without compression, which the suite above has.
  transportSuite({
    ...subject("ws", 5, overWebSocket),
    name: "tRPC over wss, uncompressed",
    tls,
    compression: false,
  });
  // Below SSE lies the same server as below the WebSocket.
  if (timesOf(0, 1) > 0) {
    transportSuite({ ...subject("sse", 2, overSse), name: "tRPC over SSE with TLS", tls });
  }
}
