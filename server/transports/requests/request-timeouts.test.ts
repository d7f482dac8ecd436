import { expect, test } from "vitest";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "./origins.ts";
import { requestTimeouts } from "./request-timeouts.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";

const HEAD = "POST /x HTTP/1.1\r\nHost: localhost\r\n";

test.each([
  ["nothing", ""],
  ["headers", "GET /x HTTP/1.1\r\nHost: loc"],
  ["a body", `${HEAD}Content-Length: 10\r\n\r\nhalf`],
  ["a body in chunks", `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`],
])("[H4] a request of which only %s arrives in time is answered with 408", async (_what, text) => {
  const { server, send } = await openRawServer(requestTimeouts(100));
  const origins = createOriginPolicy({
    origins: [],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });
  const reads = {
    name: "reads",
    access: () => "data" as const,
    request: (req: NodeJS.ReadableStream) => void req.on("error", () => undefined).resume(),
    async close() {},
  };
  mountTransports(server, [reads], origins);
  const answer = await send(text);
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(answer).toContain("did not arrive in time");
});

test("the headers of a request have at most a minute, and connections are checked often enough", () => {
  expect(requestTimeouts(120_000)).toEqual({
    requestTimeout: 120_000,
    headersTimeout: 60_000,
    connectionsCheckingInterval: 5000,
  });
  expect(requestTimeouts(1000)).toEqual({
    requestTimeout: 1000,
    headersTimeout: 1000,
    connectionsCheckingInterval: 250,
  });
});
