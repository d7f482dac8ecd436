import { once } from "node:events";
import { EventSource } from "eventsource";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { Authenticate } from "#server/transports/contract.ts";
import { me } from "#test/jobs/acting.ts";
import { DONE, eventually } from "#test/jobs/jobs.fixture.ts";
import { openApiServer, type StreamText } from "#test/transports/api.fixture.ts";

const EVENTS = { accept: "text/event-stream" };

/** The text of a stream that ends. */
const whole = async (answer: Response) => (await answer.text()).split("\n\n").filter(Boolean);

async function texts(url: string, protocols: string[] = []) {
  const socket = new WebSocket(url.replace("http", "ws"), protocols);
  onTestFinished(() => socket.terminate());
  socket.on("error", () => {});
  const told: StreamText[] = [];
  socket.on("message", (bytes: Buffer) => told.push(JSON.parse(String(bytes)) as StreamText));
  const closed = once(socket, "close").then(([code]) => code as number);
  return { socket, told, closed };
}

test("[N5] a stream has the cursor as its id, names its events and ends with one that says so", async () => {
  const { ask, fixture } = await openApiServer();
  const jobId = await fixture.create();
  await fixture.jobs.decide(me, jobId, "cancel");
  const answer = await ask(`/jobs/${jobId}/events?lastEventId=0`, { headers: EVENTS });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  expect(answer.headers.get("cache-control")).toContain("no-store");
  const [retry, created, aborted, end] = await whole(answer);
  expect(retry).toBe("retry: 1000");
  expect(created).toMatch(/^id: 1\nevent: job\ndata: \{"jobId":.*"type":"created"/);
  expect(aborted).toMatch(/^id: 2\nevent: job\ndata: /);
  expect(end).toBe("id: 2.end\nevent: end\ndata: {}");

  const path = `/jobs/${jobId}/events`;
  const header = await ask(path, { headers: { ...EVENTS, "last-event-id": "1" } });
  expect((await whole(header)).slice(1)).toEqual([aborted, end]);
  // The header of a client that comes back wins over the address that it began with.
  const both = await ask(`${path}?lastEventId=0`, { headers: { ...EVENTS, "last-event-id": "1" } });
  expect((await whole(both)).slice(1)).toEqual([aborted, end]);
});

test("[N5] an EventSource that was told the end does not come back for ever", async () => {
  const { url, ask, fixture, watches } = await openApiServer();
  const jobId = await fixture.create();
  await fixture.jobs.decide(me, jobId, "cancel");
  const source = new EventSource(`${url}/api/v1/jobs/${jobId}/events`);
  onTestFinished(() => source.close());
  const ended = Promise.withResolvers<void>();
  source.addEventListener("end", () => ended.resolve());
  await ended.promise;
  await eventually(() => expect(source.readyState).toBe(source.CLOSED));
  expect(watches()).toBe(0);
  // A client that wants more says so, and goes on from the same id.
  const again = { headers: { ...EVENTS, "last-event-id": "2.end" } };
  expect((await ask(`/jobs/${jobId}/events`, again)).status).toBe(204);
  const leaving = new AbortController();
  const { signal } = leaving;
  const more = await ask(`/jobs/${jobId}/events?follow=true`, { ...again, signal });
  await fixture.jobs.decide(me, jobId, "retry");
  let text = "";
  for await (const bytes of more.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(bytes).toString();
    if (text.includes("requeued")) break;
  }
  leaving.abort();
  expect(text).toContain("id: 3\n");
});

test("[N5] every stream of a job, a batch and the caller is served", async () => {
  const { ask, fixture, watches } = await openApiServer();
  fixture.run = async ({ draft, log }) => {
    await draft("Hello");
    log("info", "A line");
    return DONE;
  };
  const jobs = [{ kind: "work", input: {} }];
  const { id: batchId } = await fixture.jobs.createBatch(me, { jobs });
  const [job] = (await fixture.jobs.list(me, { limit: 1 })).items;
  fixture.startRunner();
  await fixture.reaches(job?.id ?? "", "DELIVERED");
  const of = async (path: string) =>
    (await whole(await ask(path, { headers: EVENTS }))).map(
      (each) => /event: (\w+)/.exec(each)?.[1],
    );
  const path = `/jobs/${job?.id}`;
  expect(await of(`${path}/draft?lastEventId=0`)).toEqual([undefined, "draft", "end"]);
  expect(await of(`${path}/logs?lastEventId=0`)).toEqual([undefined, "lines", "end"]);
  expect((await of(`/batches/${batchId}/events`)).slice(1)).toEqual(["batch", "end"]);
  for (const endless of ["/feed?lastEventId=0", "/presence", `${path}/presence`]) {
    const leaving = new AbortController();
    const answer = await ask(endless, { signal: leaving.signal, headers: EVENTS });
    const reader = answer.body?.getReader();
    let text = "";
    while (!text.includes("event:"))
      text += Buffer.from((await reader?.read())?.value ?? []).toString();
    leaving.abort();
    expect(text).toMatch(/event: (?:feed|presence)\n/);
  }
  await eventually(() => expect(watches()).toBe(0));
});

test("[N3] [N5] a stream that may not begin is a problem, and so is a job that is deleted", async () => {
  const { ask, fixture } = await openApiServer();
  const missing = await ask("/jobs/0198f1a2-0000-7000-8000-000000000000/events", {
    headers: EVENTS,
  });
  expect(missing.status).toBe(404);
  expect(missing.headers.get("content-type")).toBe("application/problem+json");
  const jobId = await fixture.create();
  await fixture.jobs.decide(me, jobId, "cancel");
  const answer = await ask(`/jobs/${jobId}/events?follow=true`, { headers: EVENTS });
  await fixture.engine.prune(new Date(fixture.now().getTime() + 1), 10);
  const last = (await whole(answer)).at(-1);
  expect(last).toMatch(/^event: problem\ndata: \{"type":"\/api\/v1\/docs#NOT_FOUND"/);
});

test("[N5] idle streams are kept open by comments", async () => {
  const { ask, fixture } = await openApiServer({ ping: { intervalMs: 10, timeoutMs: 60_000 } });
  const leaving = new AbortController();
  const answer = await ask(`/jobs/${await fixture.create()}/events`, {
    headers: EVENTS,
    signal: leaving.signal,
  });
  const reader = answer.body?.getReader();
  let text = "";
  while (!text.includes("\n:\n\n:\n\n"))
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
  leaving.abort();
  expect(text).toMatch(/^retry: 1000\n\n/);
});

test("[N6] a WebSocket at the path of a stream has the same events as texts, and closes at the end", async () => {
  const { url, fixture } = await openApiServer();
  const jobId = await fixture.create();
  await fixture.jobs.decide(me, jobId, "cancel");
  const path = `${url}/api/v1/jobs/${jobId}/events`;
  const { told, closed } = await texts(`${path}?lastEventId=1`);
  expect(await closed).toBe(1000);
  expect(told).toMatchObject([
    { id: "2", event: "job", data: { jobId, seq: 2, type: "aborted" } },
    { id: "2.end", event: "end", data: {} },
  ]);
  const over = await texts(`${path}?lastEventId=2.end`);
  expect(await over.closed).toBe(1000);
  expect(over.told).toEqual([{ id: "2.end", event: "end", data: {} }]);
});

const authenticate: Authenticate = async ({ token }) => ({ ...me, userId: token ?? "nobody" });

test("[N6] a token may be a subprotocol, and a refusal is told before the end", async () => {
  const { url, fixture } = await openApiServer({ authenticate });
  const jobId = await fixture.create();
  const path = `${url}/api/v1/jobs/${jobId}/events`;
  const mine = await texts(path, ["jobwire", `bearer.${me.userId}`]);
  await eventually(() => expect(mine.told).toHaveLength(1));
  expect(mine.socket.protocol).toBe("jobwire");
  const refused = await texts(path);
  expect(await refused.closed).toBe(1008);
  expect(refused.told).toMatchObject([
    { event: "problem", data: { code: "NOT_FOUND", status: 404 } },
  ]);
  const malformed = await texts(`${url}/api/v1/jobs/7/events`);
  expect(await malformed.closed).toBe(1008);
  expect(malformed.told).toMatchObject([
    { event: "problem", data: { errors: [{ parameter: "jobId" }] } },
  ]);
});

test("[N6] a client that sends a message is closed, and one at another path is refused", async () => {
  const { url, fixture, watches } = await openApiServer();
  const chatty = await texts(`${url}/api/v1/jobs/${await fixture.create()}/events`);
  await once(chatty.socket, "open");
  chatty.socket.send("hello");
  expect(await chatty.closed).toBe(1008);
  await eventually(() => expect(watches()).toBe(0));
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/jobs`);
  socket.on("error", () => {});
  const [, answer] = (await once(socket, "unexpected-response")) as [
    unknown,
    { statusCode: number; headers: object },
  ];
  expect(answer).toMatchObject({
    statusCode: 404,
    headers: { "content-type": "application/problem+json" },
  });
  socket.terminate();
});

test("[N6] a client that is silent is asked, and ended if it does not answer", async () => {
  const { url, fixture, watches } = await openApiServer({
    ping: { intervalMs: 20, timeoutMs: 200 },
  });
  const path = `${url}/api/v1/jobs/${await fixture.create()}/events`;
  const alive = await texts(path);
  const asked = Promise.withResolvers<void>();
  let pings = 0;
  alive.socket.on("ping", () => (pings += 1) === 3 && asked.resolve());
  const silent = new WebSocket(path.replace("http", "ws"), { autoPong: false });
  onTestFinished(() => silent.terminate());
  await once(silent, "close");
  await asked.promise;
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
  await vi.waitFor(() => expect(watches()).toBe(1));
});
