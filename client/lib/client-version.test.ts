/** The library at a server of another major version. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { CREDENTIAL_LIMITS } from "#server/transports/callers/credential-end.ts";
import { openTestServer, type TestServer } from "#test/transports/trpc.fixture.ts";
import { VERSION } from "#shared/version.ts";
import { createJobwireClient, failureOf } from "./client.ts";

let server: TestServer;
beforeEach(async () => {
  vi.stubGlobal("EventSource", EventSource);
  // The server would close connections of strangers by itself.
  const credentialLimits = { ...CREDENTIAL_LIMITS, identifyMs: 3_600_000 };
  server = await openTestServer({ credentialLimits });
});
afterEach(() => vi.unstubAllGlobals());

/** Passes on what it reads, with another version in it. Returns its address. */
async function openOtherVersion(version: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const proxy = createServer((socket) => {
    const to = connect(Number(port), hostname);
    socket.on("data", (data) => {
      const text = data
        .toString("latin1")
        .replaceAll(`clientVersion=${VERSION}`, `clientVersion=${version}`);
      to.write(text, "latin1");
    });
    to.pipe(socket);
    for (const [one, other] of [
      [socket, to],
      [to, socket],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const openSockets = () => server.sockets.filter(({ destroyed }) => !destroyed).length;

test.each([
  ["ws", undefined],
  ["ws", "token"],
  ["sse", undefined],
  ["sse", "token"],
] as const)(
  "[C1] over %s a client of another major version (credentials: %s) gets one error, and does not try again",
  async (transport, token) => {
    const url = await openOtherVersion("9.9.9");
    const getToken = vi.fn<() => string>(() => "t");
    const client = createJobwireClient({ url, transport, ...(token && { getToken }) });
    onTestFinished(() => client.close());
    const unfollow = client.follow();
    const errors: unknown[] = [];
    for (const jobId of ["a", "b"]) {
      client.trpc.job.onUpdate.subscribe({ jobId }, { onError: (error) => errors.push(error) });
    }
    await vi.waitFor(() => expect(errors).toHaveLength(2));
    for (const error of errors) {
      expect(failureOf(error)).toMatchObject({
        code: "INCOMPATIBLE_CLIENT",
        message: expect.stringContaining(`version 9.9.9 and the server ${VERSION}`) as string,
      });
    }
    unfollow();

    await vi.waitFor(() => expect(openSockets()).toBe(0));
    const call = client.trpc.job.list.query().catch((error: unknown) => error);
    expect(failureOf(await call).code).toBe("INCOMPATIBLE_CLIENT");
    const opened = server.sockets.length;
    const iteration = client.job("a").events().next();
    await expect(iteration).rejects.toThrow("This client has version 9.9.9");
    expect(server.sockets.length).toBeLessThanOrEqual(opened + 1);
    expect(errors).toHaveLength(2);
    expect(getToken.mock.calls.length).toBeLessThanOrEqual(1);
  },
);

test.each(["ws", "sse"] as const)(
  "[C1] over %s a client of another minor version works",
  async (transport) => {
    const client = createJobwireClient({ url: await openOtherVersion("0.9.9"), transport });
    onTestFinished(() => client.close());
    const { id } = await client.trpc.job.create.mutate({ kind: "work", input: {} });
    expect((await client.job(id).events().next()).value).toMatchObject({ type: "created" });
  },
);
