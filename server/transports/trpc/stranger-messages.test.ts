/** Messages of WebSocket clients whose caller is not known: large ones are not parsed (R9). */
import { once } from "node:events";
import { encode } from "@msgpack/msgpack";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import { readMsgpack } from "#server/transports/requests/read-msgpack.ts";
import type { Authenticate } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

interface Answer {
  id: unknown;
  error?: { json: { data: { code: string } } };
  result?: unknown;
}

/** Knows each token but an empty one. Says so once `mayAnswer` resolves. */
function guard(mayAnswer: Promise<void> = Promise.resolve()): Authenticate {
  return async ({ headers, token = headers.authorization }) => {
    await mayAnswer;
    if (!token) throw new AppError("UNAUTHENTICATED", "Sign in.");
    return { userId: "ann", tenantId: "acme", scopes: [...PERSON_SCOPES] };
  };
}

async function open(
  url: string,
  { search = "", headers = {} }: { search?: string; headers?: Record<string, string> } = {},
) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc${search}`, { headers });
  onTestFinished(() => socket.terminate());
  const answers: Answer[] = [];
  socket.on("message", (data: Buffer, isBinary) =>
    answers.push((isBinary ? readMsgpack(data).value : JSON.parse(data.toString())) as Answer),
  );
  const closed = once(socket, "close") as Promise<[code: number, reason: Buffer]>;
  await once(socket, "open");
  return { socket, answers, closed, codes: () => answers.map(codeOf) };
}

const codeOf = ({ error }: Answer) => error?.json.data.code;

const ask = (id: number) => ({ id, method: "query", params: { path: "system.info" } });
const filler = "x".repeat(MAX_STRANGER_BYTES);
const large = (id: number) => JSON.stringify({ ...ask(id), filler });

test("[R9] a large call of a stranger gets the same answer as a small one, and is not parsed", async () => {
  const server = await openTestServer({ authenticate: guard() });
  const { socket, answers, codes } = await open(server.url);
  socket.send(JSON.stringify(ask(1)));
  await eventually(() => expect(codes()).toEqual(["UNAUTHORIZED"]));
  // The parser would refuse it.
  socket.send(`{"id":2,"method":"query",${filler}`);
  socket.send(`{"id":"three","method":"query",${filler}`);
  await eventually(() => expect(codes()).toHaveLength(3));
  expect(answers.map(({ id }) => id)).toEqual([1, 2, "three"]);
  expect(new Set(codes())).toEqual(new Set(["UNAUTHORIZED"]));
});

test("[R9] so does one in MessagePack", async () => {
  const server = await openTestServer({ authenticate: guard() });
  const { socket, answers, codes } = await open(server.url, { search: "?encoding=msgpack" });
  const whole = encode({ ...ask(7), filler });
  socket.send(whole.subarray(0, whole.length - 1));
  await eventually(() => expect(codes()).toEqual(["UNAUTHORIZED"]));
  expect(answers[0]?.id).toBe(7);
});

test("[R9] a stranger that sends several requests in a large message learns it by the end of the connection", async () => {
  const server = await openTestServer({ authenticate: guard() });
  const { socket, closed, codes } = await open(server.url);
  socket.send(JSON.stringify([ask(1), { ...ask(2), filler }]));
  const [code, reason] = await closed;
  expect([code, reason.toString()]).toEqual([1009, expect.stringContaining("64 KiB")]);
  expect(codes()).toEqual(["UNAUTHORIZED"]);
});

test("[R9] credentials that are too large end the connection with the reason", async () => {
  const server = await openTestServer({ authenticate: guard() });
  const { socket, closed, codes } = await open(server.url, { search: "?connectionParams=1" });
  socket.send(JSON.stringify({ method: "connectionParams", data: { token: filler } }));
  await closed;
  expect(codes()).toEqual(["PAYLOAD_TOO_LARGE"]);
});

test("[R9] a large first message of a known caller waits until the caller is known", async () => {
  const { promise: mayAnswer, resolve } = Promise.withResolvers<void>();
  const server = await openTestServer({ authenticate: guard(mayAnswer) });
  const headers = { authorization: "Bearer token" };
  const { socket, answers } = await open(server.url, { headers });
  socket.send(large(1));
  socket.send(JSON.stringify(ask(2)));
  resolve();
  await eventually(() => expect(answers).toHaveLength(2));
  expect(answers.every(({ result }) => result !== undefined)).toBe(true);
});

test("[R9] a caller that signs in on the connection may send large messages then", async () => {
  const server = await openTestServer({ authenticate: guard() });
  const { socket, answers, codes } = await open(server.url);
  socket.send(large(1));
  await eventually(() => expect(codes()).toEqual(["UNAUTHORIZED"]));
  const refresh = { path: "auth.refresh", input: { json: { token: "token" } } };
  socket.send(JSON.stringify({ id: 2, method: "mutation", params: refresh }));
  await eventually(() => expect(answers).toHaveLength(2));
  socket.send(large(3));
  await eventually(() => expect(answers).toHaveLength(3));
  expect(codes()).toEqual(["UNAUTHORIZED", undefined, undefined]);
});

test("[R9] where no one signs in, large messages are read", async () => {
  const server = await openTestServer();
  const { socket, answers } = await open(server.url);
  socket.send(large(1));
  await eventually(() => expect(answers).toMatchObject([{ id: 1, result: {} }]));
});
