/** More subscriptions, calls or commas than a client may send. The error names the limit. */
import { type Attack, type Expected, type Input, MIB, type Target } from "./attack.ts";
import { ask, flood, openLine, postJson, settles } from "./requests.ts";
import { openSocket, text, TRPC } from "./raw-socket.ts";

const MANY = 100_000;
/** Matches an error message that names the limit. */
const SUBSCRIPTIONS_LIMIT = /"message":"[^"]*\b1,?000\b/;
const CALLS_LIMIT = /"message":"[^"]*\b500\b/;

const subscription = (id: number, path: string) =>
  text(`{"id":${id},"method":"subscription","params":{"path":"${path}","input":{}}}`);

/** `count` subscriptions on one socket, each in its own message. All responses are read. */
function subscriptions(path: string, count: number): Input {
  return {
    what: `${count} of ${path}`,
    gets: { says: [SUBSCRIPTIONS_LIMIT] },
    async send(target) {
      const raw = await openSocket(target, TRPC);
      for (let id = 1; id <= count; id += 1000) {
        const some = Array.from({ length: 1000 }, (_, n) => subscription(id + n, path));
        await flood(raw.socket, Buffer.concat(some), 1);
      }
      await raw.hears(SUBSCRIPTIONS_LIMIT);
      await raw.hears(new RegExp(`^\\{"id":${count},`));
      return raw.leave();
    },
  };
}

const states: Attack = {
  name: "more subscriptions than a socket may have",
  over: "tRPC WebSocket",
  inputs: [
    subscriptions("system.onState", MANY),
    subscriptions("feed.onUpdate", 2000),
    {
      what: "a thousand, which is allowed, and one more after one was stopped",
      gets: { saysNot: /error/ },
      async send(target) {
        const raw = await openSocket(target, TRPC);
        for (let id = 1; id <= 1000; id += 1) raw.write(subscription(id, "system.onState"));
        await raw.hears(/^\{"id":1000,.*started/);
        raw.write(text('{"id":7,"method":"subscription.stop"}'));
        await raw.hears(/^\{"id":7,.*stopped/);
        raw.write(subscription(1001, "system.onState"));
        await raw.hears(/^\{"id":1001,.*started/);
        return raw.leave();
      },
    },
  ],
};

const path = (count: number) => `/trpc/${Array<string>(count).fill("job.list").join(",")}`;

/** Creates jobs to make lists long, and cancels them so that no runner is busy. */
async function fillLists(target: Target): Promise<void> {
  const jobs = Array.from({ length: 50 }, () => ({ kind: "driven", input: "x".repeat(500) }));
  const created = await postJson(
    target,
    "/trpc/batch.create",
    JSON.stringify({ json: { name: "x".repeat(200), jobs } }),
  );
  const batchId = /"id":"([^"]+)"/.exec(created.text)?.[1];
  await postJson(target, "/trpc/batch.cancel", JSON.stringify({ json: { batchId } }));
}

const batch = (what: string, count: number, gets: Expected): Input => ({
  what,
  gets,
  async send(target) {
    await fillLists(target);
    return ask(target, `${path(count)}?batch=1`);
  },
});

const calls: Attack = {
  name: "more calls than a request may have",
  over: "HTTP",
  peakMib: 250,
  inputs: [
    batch("1,750 lists", 1750, { status: [400], says: [CALLS_LIMIT], atMostBytes: 10_000 }),
    batch("501 lists", 501, { status: [400], says: [CALLS_LIMIT], atMostBytes: 10_000 }),
    batch("500 lists", 500, { status: [200, 207, 413], atMostBytes: 20 * MIB }),
    ...["", "?batch=1", "?batch=1&input={}", "?batch=0"].map((query) => ({
      what: `15,000 commas ${query}`,
      gets: { status: [400, 404], atMostBytes: 50_000 },
      send: (target: Target) => ask(target, `/trpc/${",".repeat(15_000)}${query}`),
    })),
    {
      what: "a posted batch of 501",
      gets: { status: [400], says: [CALLS_LIMIT], atMostBytes: 10_000 },
      send: (target) =>
        postJson(
          target,
          `/trpc/${Array<string>(501).fill("job.create").join(",")}?batch=1`,
          JSON.stringify(
            Object.fromEntries(
              Array.from({ length: 501 }, (_, n) => [n, { json: { kind: "x", input: 1 } }]),
            ),
          ),
        ),
    },
  ],
};

/** One message with `count` calls. */
function message(what: string, count: number, call: (id: number) => string, gets: Expected): Input {
  return {
    what,
    gets,
    async send(target) {
      const raw = await openSocket(target, TRPC);
      const list = Array.from({ length: count }, (_, id) => call(id)).join(",");
      raw.write(
        text(`[${list}]`),
        text('{"id":"last","method":"query","params":{"path":"system.info","input":{}}}'),
      );
      await raw.hears(/^\{"id":"last"/);
      return raw.leave();
    },
  };
}

const query = (id: number) => `{"id":${id},"method":"query","params":{"path":"system.info"}}`;
const stop = (id: number) => `{"id":${id},"method":"subscription.stop"}`;
/** The server may also close the connection. */
const LIMITED: Expected = { says: [CALLS_LIMIT] };

const messages: Attack = {
  name: "more calls than a message may have",
  over: "tRPC WebSocket",
  inputs: [
    message("200,000 queries", 200_000, query, LIMITED),
    message("501 queries", 501, query, LIMITED),
    message("200,000 stops", 200_000, stop, LIMITED),
    message("500 queries, which is allowed", 500, query, {
      says: [/"id":0,/, /"id":499,/],
      saysNot: /error/,
    }),
    message("2,000,000 numbers", 2_000_000, (id) => String(id % 10), { closed: false }),
  ],
};

const sizes: Attack = {
  name: "an input that is larger than a job's may be",
  over: "HTTP",
  inputs: [
    {
      what: "300 KB",
      gets: { status: [400, 413], says: [/256 KiB|262,?144/] },
      send: (target) =>
        postJson(
          target,
          "/trpc/job.create",
          `{"json":{"kind":"driven","input":"${"x".repeat(300_000)}"}}`,
        ),
    },
  ],
};

/** `count` requests at once on one connection. */
const pipeline = (path: string, count: number, gets: Expected): Input => ({
  what: `${count} times ${path}`,
  gets,
  async send(target) {
    const { socket, heard, gone } = await openLine(target);
    const request = `GET ${path} HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`;
    socket.write(request.repeat(count - 1));
    socket.write(request.replace(/\r\n$/, "Connection: close\r\n\r\n"));
    const closed = (await settles(gone)) ? 1006 : undefined;
    socket.destroy();
    return { text: heard(), closed };
  },
});

const pipelined: Attack = {
  name: "many requests on one connection",
  over: "HTTP",
  inputs: ["/healthz", "/trpc/job.list", "/trpc/no.such", "/samples/"].flatMap((path) => [
    pipeline(path, 2000, { closed: true, atMostBytes: MIB }),
    pipeline(path, 10, { says: [/^(HTTP\/1\.1 (200|404) [^]*){10}$/], closed: true }),
  ]),
};

export const COUNT_ATTACKS: readonly Attack[] = [states, calls, messages, sizes, pipelined];
