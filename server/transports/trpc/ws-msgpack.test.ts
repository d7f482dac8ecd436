/** MessagePack on the WebSocket of a real server. `ws-handler.test.ts` has the protocol, `suite.test.ts` the streams. */
import { once } from "node:events";
import { encode } from "@msgpack/msgpack";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { MAX_NESTING, MAX_VALUES } from "#server/transports/requests/json-shape.ts";
import { readMsgpack } from "#server/transports/requests/read-msgpack.ts";
import { me } from "#test/jobs/acting.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openClient, openTestServer, watchJob } from "#test/transports/trpc.fixture.ts";
import { MAX_MESSAGE_ITEMS } from "./ws-message.ts";
import { MSGPACK_FORMAT } from "./ws-msgpack.ts";

interface Answer {
  id: unknown;
  error?: { json: { message: string; data: { code: string } } };
  result?: { type: string; data?: { json: unknown } };
}

const anything = defineKind({
  name: "anything",
  description: "Takes any input.",
  input: z.unknown(),
  output: z.unknown(),
  title: () => "Anything",
  start: { progress: 0, message: "Begun" },
  run: async () => delivered("Done", null),
});

/** A client that encodes by hand. */
async function openSocket(url: string) {
  // Compressed, values that are all alike would be beyond the limit of what a message may inflate to.
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc`, { perMessageDeflate: false });
  const answers: Answer[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    expect(isBinary).toBe(true);
    // The library refuses some keys.
    answers.push(readMsgpack(data).value as Answer);
  });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return {
    socket,
    send: (message: unknown) =>
      socket.send(encode(message, { maxDepth: 1000, useBigInt64: true, ignoreUndefined: true })),
    /** Resolves to the answer to this request. */
    async answerTo(id: unknown): Promise<Answer | undefined> {
      await eventually(() => expect(answers.map((each) => each.id)).toContain(id));
      return answers.find((each) => each.id === id);
    },
  };
}

const call = (id: unknown, path: string, json: unknown, method = "query") => ({
  id,
  method,
  params: { path, input: { json } },
});
const create = (id: unknown, input: unknown) =>
  call(id, "job.create", { kind: "anything", input }, "mutation");

test("[F1] clients of both encodings see the same jobs, dates and errors at the same address", async () => {
  const { url, fixture } = await openTestServer({ kinds: [anything] });
  const clients = [openClient(url, "ws"), openClient(url, "msgpack")] as const;
  const [json, msgpack] = clients;
  const input = { "\u00e9": [1, -1.5, 2 ** 40, null, true], emoji: "\u{1f600}", deep: {} };
  const job = await msgpack.job.create.mutate({ kind: "anything", input });
  expect(job.createdAt).toBeInstanceOf(Date);
  for (const client of clients)
    expect((await client.job.get.query({ jobId: job.id })).input).toEqual(input);
  const lists = await Promise.all(clients.map((client) => client.job.list.query({})));
  expect(lists[1]).toEqual(lists[0]);
  const missing = { jobId: "0190a0a0-0000-7000-8000-000000000000" };
  const errors = await Promise.all(
    clients.map((client) => client.job.get.query(missing).catch((error: unknown) => error)),
  );
  expect(errors[1]).toMatchObject({ data: { appCode: "NOT_FOUND" } });
  expect(errors[1]).toEqual(errors[0]);
  const notes = [watchJob(json, { jobId: job.id }), watchJob(msgpack, { jobId: job.id })] as const;
  const states: unknown[] = [];
  const state = msgpack.system.onState.subscribe(undefined, {
    onData: (value) => states.push(value),
  });
  onTestFinished(() => state.unsubscribe());
  fixture.startRunner();
  await eventually(() => notes.forEach(({ state }) => expect(state).toBe("complete")));
  expect(notes[1].data).toEqual(notes[0].data);
  expect(notes[1].ids).toEqual(notes[0].ids);
  expect(notes[1].data[0]?.at).toBeInstanceOf(Date);
  await eventually(() => expect(states).toHaveLength(1));
});

test("[F2] a call with a value that JSON does not have is refused with its place, and others of its message are served", async () => {
  const { url, fixture } = await openTestServer({ kinds: [anything] });
  const { send, answerTo } = await openSocket(url);
  const values: [unknown, string][] = [
    [Buffer.from("bytes"), "binary data"],
    [new Date(0), "an extension type"],
    [Number.NaN, "the number NaN"],
    [2n ** 63n, "an integer beyond 2^53 - 1"],
  ];
  for (const [n, [value, what]] of values.entries()) {
    send([
      call(`before ${n}`, "job.list", {}),
      create(n, { a: [value] }),
      call(`after ${n}`, "job.list", {}),
    ]);
    const { error } = (await answerTo(n)) ?? {};
    expect(error?.json.data.code).toBe("BAD_REQUEST");
    expect(error?.json.message).toBe(
      what.startsWith("an integer")
        ? 'At "params.input.json.input.a.0", the message holds an integer beyond 2^53 - 1 (send it as a text), which JSON does not have. Send what JSON has.'
        : `At "params.input.json.input.a.0", the message holds ${what}, which JSON does not have. Send what JSON has.`,
    );
    for (const id of [`before ${n}`, `after ${n}`]) {
      expect((await answerTo(id))?.result?.type).toBe("data");
    }
  }
  expect((await fixture.jobs.list(me, { limit: 1 })).items).toEqual([]);
});

test("[J13] an input in MessagePack keeps any keys and comes back unchanged", async () => {
  const { url } = await openTestServer({ kinds: [anything] });
  const { send, answerTo } = await openSocket(url);
  // The library cannot write this key from a literal.
  const input: unknown = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":1,"a.b":"\\\\","":[]}',
  );
  send(create(1, input));
  const created = (await answerTo(1))?.result?.data?.json as { id: string };
  expect({}).not.toHaveProperty("polluted");
  send(call(2, "job.get", { jobId: created.id }));
  const job = (await answerTo(2))?.result?.data?.json as { input: unknown };
  expect(JSON.stringify(job.input)).toBe(JSON.stringify(input));
});

test("[H4] a message beyond a limit is refused before it is read, with the id of its call, and the connection lives on", async () => {
  const { url } = await openTestServer({ kinds: [anything] });
  const { socket, send, answerTo } = await openSocket(url);
  let deep: unknown = 1;
  for (let n = 0; n < MAX_NESTING; n++) deep = [deep];
  send(create("deep", deep));
  expect((await answerTo("deep"))?.error?.json.message).toContain(`${MAX_NESTING} levels`);
  send(
    create(
      2,
      Array.from({ length: MAX_VALUES }, () => 0),
    ),
  );
  expect((await answerTo(2))?.error?.json.message).toContain(`${MAX_VALUES} values`);
  send(call(3, "job.list", {}));
  expect((await answerTo(3))?.result?.type).toBe("data");
  // The requests of a list get no answers, so the connection ends.
  const closed = once(socket, "close") as Promise<[code: number]>;
  send(
    Array.from({ length: MAX_MESSAGE_ITEMS + 1 }, (_, n) => ({
      id: n,
      method: "subscription.stop",
    })),
  );
  expect((await closed)[0]).toBe(1009);
});

test("an answer that is put together has the bytes of one that is encoded as a whole", () => {
  const data = { json: { id: "7", data: { n: 1 } }, meta: { v: 1 } };
  for (const id of [7, 300, "an id", null, 2 ** 40]) {
    for (const jsonrpc of [undefined, "2.0"] as const) {
      const whole = { id, jsonrpc, result: { type: "data", data, id: "7" } };
      const { encode: write, headOf, restOf, frameOf } = MSGPACK_FORMAT;
      const bytes = Buffer.from(write(whole));
      const frame = Buffer.from(frameOf(headOf({ id, jsonrpc }), restOf("7", data)));
      expect(frame.subarray(-bytes.length)).toEqual(bytes);
      expect(frame.length - bytes.length).toBe(bytes.length < 126 ? 2 : 4);
    }
  }
});
