/** The clients that people use, when their credential is revoked while they watch. */
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { createJobwireClient, failureOf, type GetToken } from "#client/lib/client.ts";
import type { App } from "#server/app.ts";
import { withManagement } from "#server/command/reach-data.ts";
import { loadConfig } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openCable } from "#test/transports/cable.fixture.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { openClient } from "#test/transports/trpc.fixture.ts";

let data: TestData;
let app: App;

beforeAll(() => void vi.stubGlobal("EventSource", EventSource));
afterAll(() => void vi.unstubAllGlobals());
beforeEach(async () => {
  data = await newTestData();
  app = await startAppWithTokens(data);
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

const iat = Math.floor(Date.now() / 1000) - 10;
const tokenOf = (jti: string) => tokenFor("ann", { jti, iat });
const revoke = (tokenId: string) =>
  withManagement(
    loadConfig(data.env),
    () => new Date(),
    ({ revocations }) => revocations.revoke("acme", { tokenId, expiresAt: null }, COMMAND_ACTOR),
  );

function watch(options: Omit<Parameters<typeof createJobwireClient>[0], "url">, url = app.url) {
  const client = createJobwireClient({ url, ...options });
  onTestFinished(() => client.close());
  const states: boolean[] = [];
  const codes: unknown[] = [];
  client.trpc.system.onState.subscribe(undefined, {
    onData: ({ stale }) => states.push(stale),
    onError: (error) => codes.push(failureOf(error).code),
  });
  return { client, states, codes };
}

/** A `getToken` that gives these tokens in turn, and the last one for ever. */
function inTurn(...tokens: string[]) {
  let count = 0;
  const getToken: GetToken = () => tokens[Math.min(count++, tokens.length - 1)] ?? "";
  return { getToken, count: () => count };
}

describe.each(["ws", "sse"] as const)("our client over %s", (transport) => {
  test("[P13] with one token for good is told, and leaves", async () => {
    const cable = await openCable(app.url);
    const { states, codes } = watch({ transport, token: await tokenOf("one") }, cable.url);
    await eventually(() => expect(states).toEqual([false]));
    await revoke("one");
    await eventually(() => expect(codes).toEqual(["UNAUTHENTICATED"]));
    await eventually(() => expect(cable.open()).toBe(0));
  });

  test("[P13] asks for another token, and goes on with it", async () => {
    const { getToken, count } = inTurn(await tokenOf("one"), await tokenOf("two"));
    const { states, codes, client } = watch({ transport, getToken });
    await eventually(() => expect(states).toEqual([false]));
    await revoke("one");
    await eventually(() => expect(states).toEqual([false, false]));
    expect((await client.trpc.auth.me.query()).userId).toBe("ann");
    expect(count()).toBeGreaterThan(1);
    expect(codes).toEqual([]);
  });

  test("[P13] that gets the same token again is told, however often it asks", async () => {
    const { getToken, count } = inTurn(await tokenOf("one"));
    const { states, codes, client } = watch({ transport, getToken });
    await eventually(() => expect(states).toEqual([false]));
    await revoke("one");
    await eventually(() => expect(codes).toEqual(["UNAUTHENTICATED"]));
    expect(count()).toBeGreaterThan(1);
    await expect(client.trpc.auth.me.query()).rejects.toThrow("This token is not valid.");
  });
});

describe.each(["ws", "sse"] as const)("tRPC's own client over %s", (link) => {
  test("[P13] is told", async () => {
    const client = openClient(app.url, link, await tokenOf("one"));
    const states: unknown[] = [];
    const codes: unknown[] = [];
    client.system.onState.subscribe(undefined, {
      onData: (state) => states.push(state),
      onError: (error) => codes.push(failureOf(error).code),
    });
    await eventually(() => expect(states).toHaveLength(1));
    await revoke("one");
    await eventually(() => expect(codes).toEqual(["UNAUTHENTICATED"]));
  });
});

test("[P13] Socket.IO's own client is told, and does not come back by itself", async () => {
  const token = await tokenOf("one");
  const socket = io(app.url, { forceNew: true, reconnectionDelay: 10, auth: { token } });
  onTestFinished(() => void socket.disconnect());
  await socket.emitWithAck("auth:refresh", { token });
  const told = new Promise((resolve) => socket.once("connect_error", resolve));
  await revoke("one");
  expect(await told).toMatchObject({ data: { code: "UNAUTHENTICATED" } });
  expect(socket.active).toBe(false);
});
