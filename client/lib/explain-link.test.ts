/** The typed client at addresses where no Jobwire answers, and at one that lacks what is asked for. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { TRPCClientError } from "@trpc/client";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openTestServer, type TestServer } from "#test/transports/trpc.fixture.ts";
import { createJobwireClient, failureOf } from "./client.ts";

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

async function failureAt(url: string): Promise<TRPCClientError<never>> {
  const client = createJobwireClient({ url });
  onTestFinished(() => client.close());
  const error = await client.kinds.nothing?.create({}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TRPCClientError);
  return error as TRPCClientError<never>;
}

async function listening(other: Server): Promise<string> {
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
}

test("a server that does not run is named, with the reason", async () => {
  const url = await listening(createServer());
  const other = createServer();
  const free = await listening(other);
  other.close();
  await once(other, "close");
  expect(url).not.toBe(free);
  const error = await failureAt(free);
  expect(error.message).toBe(
    `${free} cannot be reached (ECONNREFUSED). Check that the server runs and that the client's url is its address.`,
  );
  expect(error.cause).toBeInstanceOf(TypeError);
  expect(failureOf(error).code).toBeUndefined();
});

test("on a page of another origin, the reason may be CORS", async () => {
  const { origin } = new URL(server.url);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  vi.stubGlobal("location", { origin: "http://localhost:5173", href: "http://localhost:5173/" });
  onTestFinished(() => void vi.unstubAllGlobals());
  const error = await failureAt(server.url);
  expect(error.message).toBe(
    `${origin} cannot be reached (Failed to fetch). Check that the server runs and that the client's url is its address, ` +
      "and that the server's CORS_ORIGINS has http://localhost:5173.",
  );
  vi.stubGlobal("location", { origin, href: `${origin}/` });
  expect((await failureAt(server.url)).message).not.toContain("CORS_ORIGINS");
});

test.each([
  [200, "<!doctype html>"],
  [404, "Cannot POST"],
  [502, ""],
  [200, "{}"],
  [200, '{"error":"no"}'],
])("an answer with the status %i and the text %j is not Jobwire's", async (status, body) => {
  const url = await listening(createServer((_req, res) => res.writeHead(status).end(body)));
  const { message } = await failureAt(url);
  expect(message).toMatch(`The answer of ${url} is not Jobwire's`);
});

test("an address with /trpc is told apart from a kind that the server lacks", async () => {
  const error = await failureAt(server.url);
  expect(error.message).toContain(`The server at ${server.url} has no kind "nothing".`);
  expect(failureOf(error).code).toBe("NOT_FOUND");
  expect((await failureAt(`${server.url}/trpc`)).message).toContain("without /trpc");
});

test("each call of a batch of calls has its own answer", async () => {
  const client = createJobwireClient({ url: server.url });
  onTestFinished(() => client.close());
  const calls = [client.kinds.one?.create({}), client.trpc.kind.list.query()] as const;
  await expect(calls[0]).rejects.toThrow('has no kind "one"');
  expect(await calls[1]).toBeInstanceOf(Array);
});

test("the answer to a call that its caller aborted is left as it is", async () => {
  const client = createJobwireClient({ url: server.url });
  const call = client.trpc.kind.list.query(undefined, { signal: AbortSignal.abort() });
  await expect(call).rejects.toThrow(/abort/i);
  await expect(call).rejects.not.toThrow("cannot be reached");
});
