/** The cookie of a sign-in on every transport, and the end of connections with it. */
import { once } from "node:events";
import { EventSource } from "eventsource";
import { io, type Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { App } from "#server/app.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { post, signIn, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";

let data: TestData;
let app: App;
let cookie: string;

beforeEach(async () => {
  data = await newTestData();
  app = await startAppWithTokens(data);
  cookie = await signIn(app, await tokenFor("ann", { scope: "jobs:read" }));
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

type Headers = Record<string, string>;
/** A GET of our own page has no `Origin`. */
const ofGet = () => ({ cookie, "sec-fetch-site": "same-origin" });
const ofPage = () => ({ cookie, origin: app.url });
const withToken = (token: string) => ({ ...ofGet(), authorization: `Bearer ${token}` });
const LIST = `/trpc/job.list?input=${encodeURIComponent('{"json":{"limit":1}}')}`;

/** Sends one call and resolves to the code of its answer. */
async function openTrpc(headers: Headers): Promise<{ socket: WebSocket; code: string }> {
  const socket = new WebSocket(`${app.url.replace("http", "ws")}/trpc`, { headers });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  await once(socket, "open");
  socket.send(
    '{"id":1,"method":"query","params":{"path":"job.list","input":{"json":{"limit":1}}}}',
  );
  const [message] = (await once(socket, "message")) as [Buffer];
  const { error } = JSON.parse(message.toString()) as {
    error?: { json: { data: { appCode: string } } };
  };
  return { socket, code: error?.json.data.appCode ?? "ok" };
}

function openStream(headers: Headers): EventSource {
  const source = new EventSource(`${app.url}/trpc/system.onState`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } }),
  });
  onTestFinished(() => source.close());
  return source;
}

function connect(headers: Headers, transport: string): Socket {
  const socket = io(app.url, {
    transports: [transport],
    extraHeaders: headers,
    forceNew: true,
    reconnectionDelay: 10,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

const outcomeOf = (socket: Socket) =>
  new Promise<string>((resolve) => {
    socket.once("connect", () => resolve("ok"));
    socket.once("connect_error", (error) =>
      resolve((error as Error & { data?: { code: string } }).data?.code ?? error.message),
    );
  });

describe("[P11] the cookie is a credential", () => {
  test("over tRPC's HTTP, with the rights of its token and no more", async () => {
    expect((await fetch(app.url + LIST, { headers: ofGet() })).status).toBe(200);
    const create = await post(app, "/trpc/job.create", {
      cookie,
      body: { json: { kind: "article", input: {} } },
    });
    expect(create.status).toBe(403);
    const withoutPage = await fetch(app.url + LIST, { headers: { cookie } });
    expect(withoutPage.status).toBe(401);
  });

  test("over tRPC's WebSocket", async () => {
    expect((await openTrpc(ofPage())).code).toBe("ok");
    expect((await openTrpc({ cookie })).code).toBe("UNAUTHENTICATED");
  });

  test("over SSE", async () => {
    await once(openStream(ofGet()) as never, "connected");
    const [refusal] = (await once(openStream({ cookie }) as never, "serialized-error")) as [
      MessageEvent<string>,
    ];
    expect(refusal.data).toContain("UNAUTHENTICATED");
  });

  test.each(["polling", "websocket"])("over Socket.IO's %s", async (transport) => {
    const headers = transport === "polling" ? ofGet() : ofPage();
    expect(await outcomeOf(connect(headers, transport))).toBe("ok");
    expect(await outcomeOf(connect({ cookie }, transport))).toBe("UNAUTHENTICATED");
  });
});

test("[P11] a token wins over the cookie, whether it is valid or not", async () => {
  const me = (headers: Headers) => fetch(`${app.url}/auth/me`, { headers });
  const bob = await me(withToken(await tokenFor("bob")));
  expect(await bob.json()).toMatchObject({ user: "bob" });
  expect((await me(withToken("nonsense"))).status).toBe(401);
  const socket = io(app.url, {
    transports: ["websocket"],
    extraHeaders: ofPage(),
    auth: { token: "nonsense" },
    forceNew: true,
  });
  onTestFinished(() => void socket.disconnect());
  expect(await outcomeOf(socket)).toBe("UNAUTHENTICATED");
});

test("[P10] signing out ends the connections of this sign-in, and no others", async () => {
  const other = await signIn(app, await tokenFor("ann"));
  const bystander = (await openTrpc({ cookie: other, origin: app.url })).socket;
  const { socket } = await openTrpc(ofPage());
  const stream = openStream(ofGet());
  await once(stream as never, "connected");
  const polling = connect(ofGet(), "polling");
  const legacy = connect(ofPage(), "websocket");
  expect(await Promise.all([polling, legacy].map(outcomeOf))).toEqual(["ok", "ok"]);

  const gone = Promise.all([
    once(socket, "close"),
    once(stream as never, "error"),
    ...[polling, legacy].map((each) => new Promise((resolve) => each.once("disconnect", resolve))),
  ]);
  const refused = Promise.all([polling, legacy].map((each) => vi.waitFor(() => outcomeOf(each))));
  expect((await post(app, "/auth/sign-out", { cookie })).status).toBe(200);
  await gone;
  // They come back without a sign-in.
  expect(await refused).toEqual(["UNAUTHENTICATED", "UNAUTHENTICATED"]);
  expect((await openTrpc(ofPage())).code).toBe("UNAUTHENTICATED");
  bystander.send('{"id":2,"method":"query","params":{"path":"system.info"}}');
  await once(bystander, "message");
});
