import { encode } from "@msgpack/msgpack";
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

const packed = (message: unknown) => Buffer.from(encode(message, { maxDepth: 1000 }));
const call = (input: unknown) => ({ id: 1, method: "query", params: { path: "job.list", input } });

const overMessagePack: Hostile = {
  "no MessagePack": frames(Buffer.of(0xc1), Buffer.of(), Buffer.alloc(1000, 0xff)),
  "a text frame": frames(packed(call({})), '{"id":1}'),
  "lengths without bytes": frames(
    ...[0xc6, 0xc9, 0xdb, 0xdd, 0xdf].map((type) => Buffer.of(type, 0xff, 0xff, 0xff, 0xff)),
  ),
  "deep nesting": frames(Buffer.alloc(1_000_000, 0x91), Buffer.alloc(1_000_000, 0x81)),
  "many values": frames(packed(Array.from({ length: 300_000 }, () => []))),
  "no request": frames(packed(7), packed(null), packed([null]), packed({ id: {}, method: [] })),
  "values that JSON does not have": frames(
    ...[new Uint8Array(9), new Date(), Number.NaN, 2n ** 63n].map((json) =>
      Buffer.from(encode(call({ json }), { useBigInt64: true })),
    ),
  ),
  "a subscription to nothing": frames(
    packed({ id: 1, method: "subscription", params: { path: "job" } }),
  ),
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
  capabilities: { cursor: true, multiplexed: link !== "sse", renewsToken: link !== "sse", cuts },
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

// The encoding and TLS are the same with either engine.
if (!onRedis) {
  transportSuite(subject("msgpack", 5, overMessagePack));
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
