/** Tickets in the addresses of `EventSource`s, on whole servers. */
import { createTRPCClient, httpLink, httpSubscriptionLink, type TRPCLink } from "@trpc/client";
import { EventSource } from "eventsource";
import superjson from "superjson";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import type { App } from "#server/app.ts";
import { withManagement } from "#server/command/reach-data.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind } from "#server/kinds/define.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import type { JobEvent } from "#shared/events.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openCable } from "#test/transports/cable.fixture.ts";
import { signIn, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import type { AppRouter } from "./router.ts";

let data: TestData;
let app: App;
let logged: string[];
let token: string;
let jobId: string;
/** Makes the job report once more. */
let step: () => void;

const steps = defineKind({
  name: "steps",
  description: "Reports when the test says so.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Steps",
  start: { progress: 0, message: "Started" },
  async run({ signal, progress }) {
    for (let n = 1; !signal.aborted; n++) {
      await new Promise<void>((resolve) => {
        step = resolve;
        signal.addEventListener("abort", () => resolve());
      });
      if (!signal.aborted) await progress(n % 100, `Step ${n}`);
    }
    throw signal.reason as Error;
  },
});

beforeEach(async () => {
  data = await newTestData();
  logged = [];
  app = await startAppWithTokens(data, {
    kinds: [steps],
    env: { SHUTDOWN_GRACE_MS: "0" },
    logged,
  });
  token = await tokenFor("ann", { jti: "t", iat: Math.floor(Date.now() / 1000) - 10 });
  jobId = (await client().job.create.mutate({ kind: "steps", input: {} })).id;
  await vi.waitUntil(async () => {
    return (await client().job.get.query({ jobId })).message === "Started";
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
  await data.remove();
});

const manage = <T>(use: Parameters<typeof withManagement<T>>[2]): Promise<T> =>
  withManagement(loadConfig(data.env), () => new Date(), use);

function clientBy(headers: Record<string, string>, url = app.url) {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson, headers })],
  });
}
const client = () => clientBy({ authorization: `Bearer ${token}` });
const ticketFor = async (path: string, input?: unknown) =>
  (await client().auth.ticket.mutate({ path, input })).ticket;

interface Address {
  path?: string;
  input?: unknown;
  ticket: string;
  more?: string;
}
function addressOf({
  path = "job.onUpdate",
  input = { jobId },
  ticket,
  more = "",
}: Address): string {
  const query = `input=${encodeURIComponent(JSON.stringify({ json: input }))}`;
  return `${app.url}/trpc/${path}?${query}&ticket=${ticket}${more}`;
}

interface Reading {
  text(): string;
  isClosed(): boolean;
}

/** Opens a stream as a browser does, without headers of its own. */
async function open(address: string, headers: Record<string, string> = {}): Promise<Reading> {
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const answer = await fetch(address, { headers, signal: leave.signal });
  let [text, isClosed] = ["", false];
  void (async () => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
    }
  })()
    .catch(() => undefined)
    .finally(() => (isClosed = true));
  return { text: () => text, isClosed: () => isClosed };
}

/** Resolves to the code of a refusal, or to "ok" if the stream has begun. */
async function codeAt(address: string, headers?: Record<string, string>): Promise<string> {
  const { text } = await open(address, headers);
  await eventually(() => expect(text()).toMatch(/"appCode"|id: /));
  return /"appCode":"(\w+)"/.exec(text())?.[1] ?? "ok";
}

test("[P23] tRPC's stock link with tickets survives three cuts of its connection without a gap", async () => {
  const cable = await openCable(app.url);
  const url = `${cable.url}/trpc`;
  const http = client();
  let issued = 0;
  // The program of docs/clients.md.
  const withTickets: TRPCLink<AppRouter> = (runtime) => (request) =>
    httpSubscriptionLink<AppRouter, typeof EventSource>({
      url: async () => {
        const { path, input } = request.op;
        const { ticket } = await http.auth.ticket.mutate({ path, input });
        issued += 1;
        return `${url}?ticket=${ticket}`;
      },
      transformer: superjson,
      EventSource,
    })(runtime)(request);
  const watching = createTRPCClient<AppRouter>({ links: [withTickets] });
  const events: JobEvent[] = [];
  const failures: unknown[] = [];
  const subscription = watching.job.onUpdate.subscribe(
    { jobId, lastEventId: "0" },
    { onData: ({ data: event }) => events.push(event), onError: (error) => failures.push(error) },
  );
  const reached = async (message: string) => {
    await eventually(() => expect(events.at(-1)?.message).toBe(message));
  };
  await reached("Started");
  for (let n = 1; n <= 3; n++) {
    step();
    await reached(`Step ${2 * n - 1}`);
    cable.cut();
    await eventually(() => expect(cable.open()).toBe(0));
    step();
    await reached(`Step ${2 * n}`);
  }
  subscription.unsubscribe();
  expect(failures).toEqual([]);
  expect(cable.cuts).toBe(3);
  let last = 0;
  for (const { seq, skipped = 0 } of events) {
    expect(seq).toBe(last + 1 + skipped);
    last = seq;
  }
  // An `EventSource` reconnects with the same address.
  expect(issued).toBe(1);
  expect(logged.join()).not.toContain("ticket=");
});

test("[P23] a plain EventSource resumes with its ticket where it was", async () => {
  const cable = await openCable(app.url);
  const address = addressOf({ ticket: await ticketFor("job.onUpdate", { jobId }) });
  const source = new EventSource(address.replace(app.url, cable.url));
  onTestFinished(() => source.close());
  const ids: string[] = [];
  source.addEventListener("message", ({ lastEventId }) => ids.push(lastEventId));
  await eventually(() => expect(ids.length).toBeGreaterThan(0));
  const [first = ""] = ids;
  cable.cut();
  await eventually(() => expect(cable.open()).toBe(0));
  step();
  await eventually(() => expect(ids).toEqual([first, String(Number(first) + 1)]));
});

test("[P23] a ticket opens its path with its input alone, and no command", async () => {
  const ticket = await ticketFor("job.onUpdate", { jobId });
  const other = (await client().job.create.mutate({ kind: "steps", input: {} })).id;
  const refused: Address[] = [
    { ticket, path: "job.onOutput" },
    { ticket, path: "kinds.steps.onUpdate" },
    { ticket, path: "feed.onUpdate", input: {} },
    { ticket, path: "system.onState", input: undefined },
    { ticket, input: { jobId: other } },
    { ticket, input: { jobId, follow: true } },
    { ticket, more: `&ticket=${ticket}` },
    { ticket: `${ticket.slice(0, -8)}AAAAAAAA` },
    { ticket: "none" },
    { ticket: "" },
    { ticket: token },
    { ticket: (await client().job.share.mutate({ jobId })).token },
  ];
  for (const each of refused) expect(await codeAt(addressOf(each))).toBe("UNAUTHENTICATED");
  const others: [path: string, how: RequestInit][] = [
    [`job.get?input=${encodeURIComponent(JSON.stringify({ json: { jobId } }))}`, {}],
    [
      `job.onUpdate,job.onUpdate?batch=1&input=${encodeURIComponent(JSON.stringify({ 0: { json: { jobId } }, 1: { json: { jobId } } }))}`,
      {},
    ],
    [
      "job.cancel?",
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ json: { jobId } }),
      },
    ],
  ];
  for (const [path, how] of others) {
    const answer = await fetch(`${app.url}/trpc/${path}&ticket=${ticket}`, how);
    expect(answer.status, path).toBeGreaterThanOrEqual(400);
    expect(await answer.text(), path).not.toContain('"result"');
  }
  // As a token, it is none.
  const asToken = clientBy({ authorization: `Bearer ${ticket}` });
  await expect(asToken.job.get.query({ jobId })).rejects.toMatchObject({
    data: { appCode: "UNAUTHENTICATED" },
  });
  expect(await codeAt(addressOf({ ticket }))).toBe("ok");
  // The order of fields does not matter, nor where a client resumes.
  const ordered = await ticketFor("job.onUpdate", { follow: true, jobId });
  const input = { jobId, lastEventId: "0", follow: true };
  expect(await codeAt(addressOf({ ticket: ordered, input }))).toBe("ok");
  const feed = await ticketFor("feed.onUpdate");
  expect(await codeAt(addressOf({ path: "feed.onUpdate", input: {}, ticket: feed }))).toBe("ok");
  const ofKind = await ticketFor("kinds.steps.onUpdate", { jobId });
  expect(await codeAt(addressOf({ path: "kinds.steps.onUpdate", ticket: ofKind }))).toBe("ok");
  expect(logged.join()).not.toContain(ticket);
});

test("[P23] a ticket that was not opened in 30 s is refused, also to a client that says it reconnects", async () => {
  const [late, opened] = [
    await ticketFor("job.onUpdate", { jobId }),
    await ticketFor("job.onUpdate", { jobId }),
  ];
  expect(await codeAt(addressOf({ ticket: opened }))).toBe("ok");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 30_000 });
  expect(await codeAt(addressOf({ ticket: late }))).toBe("UNAUTHENTICATED");
  expect(await codeAt(addressOf({ ticket: late }), { "last-event-id": "1" })).toBe(
    "UNAUTHENTICATED",
  );
  expect(await codeAt(addressOf({ ticket: opened, more: "&lastEventId=0" }))).toBe("ok");
});

test("[P23] one connection at a time has a ticket: the next one ends it", async () => {
  const ticket = await ticketFor("job.onUpdate", { jobId });
  const other = await open(addressOf({ ticket: await ticketFor("job.onUpdate", { jobId }) }));
  const first = await open(addressOf({ ticket }));
  await eventually(() => expect(first.text()).toContain("id: "));
  const second = await open(addressOf({ ticket }));
  await eventually(() => expect(first.isClosed()).toBe(true));
  const third = await open(addressOf({ ticket }), { "last-event-id": "1" });
  await eventually(() => expect(second.isClosed()).toBe(true));
  step();
  await eventually(() => expect(third.text()).toContain("Step 1"));
  expect([third.isClosed(), other.isClosed()]).toEqual([false, false]);
});

test("[P23] a ticket ends with the credential behind it, and its connection does", async () => {
  const cookie = await signIn(app, await tokenFor("ann", { jti: "s" }));
  const page = clientBy({ cookie, origin: app.url });
  const bySignIn = (await page.auth.ticket.mutate({ path: "job.onUpdate", input: { jobId } }))
    .ticket;
  const byToken = await ticketFor("job.onUpdate", { jobId });
  const reading = {
    bySignIn: await open(addressOf({ ticket: bySignIn })),
    byToken: await open(addressOf({ ticket: byToken })),
  };
  await manage(({ revocations }) =>
    revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR),
  );
  await eventually(() => expect(reading.byToken.isClosed()).toBe(true));
  expect(reading.bySignIn.isClosed()).toBe(false);
  const signOut = { method: "POST", headers: { cookie, origin: app.url } };
  await fetch(`${app.url}/auth/sign-out`, signOut);
  await eventually(() => expect(reading.bySignIn.isClosed()).toBe(true));
  for (const ticket of [bySignIn, byToken]) {
    expect(await codeAt(addressOf({ ticket }))).toBe("UNAUTHENTICATED");
  }
});

test("[P23] a caller gets tickets for streams that its scopes permit, and what a ticket opens is checked as ever", async () => {
  for (const path of ["job.get", "kinds.steps.get", "kinds.onUpdate", "kinds.*.onUpdate.x"]) {
    await expect(ticketFor(path, { jobId })).rejects.toMatchObject({
      data: { appCode: "BAD_REQUEST" },
    });
  }
  const writer = clientBy({
    authorization: `Bearer ${await tokenFor("ann", { scope: "jobs:write" })}`,
  });
  await expect(
    writer.auth.ticket.mutate({ path: "job.onUpdate", input: { jobId } }),
  ).rejects.toMatchObject({ data: { appCode: "FORBIDDEN" } });
  const bob = clientBy({ authorization: `Bearer ${await tokenFor("bob")}` });
  const { ticket, openBefore, expiresAt } = await bob.auth.ticket.mutate({
    path: "job.onUpdate",
    input: { jobId },
  });
  expect(openBefore.getTime()).toBeLessThanOrEqual(Date.now() + 30_000);
  expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 605_000);
  expect(await codeAt(addressOf({ ticket }))).toBe("NOT_FOUND");
  const scope = `job:${jobId}:read batch:${jobId}:read`;
  const eve = clientBy({ authorization: `Bearer ${await tokenFor("eve", { scope })}` });
  const own = await eve.auth.ticket.mutate({ path: "job.onUpdate", input: { jobId } });
  expect(await codeAt(addressOf({ ticket: own.ticket }))).toBe("ok");
});
