import { openEventSourceClient, openSocketClient } from "#test/transports/api.fixture.ts";
import { COMPRESSED, sendFrames } from "#test/transports/send-frames.ts";
import { transportSuite, type TransportUnderTest } from "#test/transports/transport.suite.ts";
import { createApiTransport } from "./transport.ts";

type Hostile = TransportUnderTest["hostile"];

const STREAM = "/api/v1/presence";
const get =
  (path: string, init: RequestInit = {}) =>
  async (url: string) =>
    (await fetch(`${url}/api/v1${path}`, init)).text();
const post = (path: string, body: string, type = "application/json") =>
  get(path, { method: "POST", body, headers: { "content-type": type } });
const frames =
  (...sent: (string | Buffer)[]) =>
  (url: string) =>
    sendFrames(url.replace("http", "ws") + STREAM, sent);

const events = { headers: { accept: "text/event-stream" } };
const overHttp: Hostile = {
  "an unknown path": get("/no/such/path"),
  "a path of dots": get("/jobs/%2e%2e/%2e%2e/me"),
  "an address that is not UTF-8": get("/jobs/%ff"),
  "an invalid id": get("/jobs/7/events", events),
  "an id of the last event that is none": get("/feed?lastEventId=x.end", events),
  "a body that is not JSON": post("/jobs", "{"),
  "a body that is no object": post("/jobs", "[]"),
  "a body of another type": post("/jobs", "{}", "text/plain"),
  "a body that is nested deeply": post("/jobs", "[".repeat(100_000)),
  "a key of a prototype": post("/jobs", '{"__proto__":{"kind":"work"},"constructor":1}'),
  "an unknown method": get("/jobs", { method: "PROPFIND" }),
};
const overWebSocket: Hostile = {
  "a message": frames("{}"),
  "many messages": frames(...Array.from({ length: 500 }, () => "x")),
  "a binary frame": frames(Buffer.from([0xff, 0xfe])),
  "a large message": frames("x".repeat(100_000)),
  "a stream of nothing": (url) =>
    sendFrames(`${url.replace("http", "ws")}/api/v1/jobs/7/events`, ["x"]),
  ...Object.fromEntries(
    Object.entries(COMPRESSED).map(([name, send]) => [
      name,
      (url: string) => send(url.replace("http", "ws") + STREAM),
    ]),
  ),
};

const capabilities = { cursor: true, multiplexed: false, renewsToken: true };

// An EventSource waits a second before it reconnects.
transportSuite({
  name: "the API over SSE",
  create: (context) => createApiTransport(context),
  capabilities: { ...capabilities, cuts: 3 },
  openClient: ({ url, token }) => openEventSourceClient(url, token),
  hostile: overHttp,
});

transportSuite({
  name: "the API over WebSocket",
  create: (context) => createApiTransport(context),
  capabilities: { ...capabilities, cuts: 5 },
  openClient: ({ url, token }) => openSocketClient(url, token),
  hostile: overWebSocket,
});
