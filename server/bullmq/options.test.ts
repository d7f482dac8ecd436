import { expect, test } from "vitest";
import { createJobwire, KindError } from "#server/index.ts";
import { bullmqQueues, type BullmqOptions } from "./index.ts";

const QUEUE = { name: "mail", tenant: "acme", owner: "ops" };
const connection = "redis://localhost";

test.each<[string, unknown, RegExp]>([
  ["no address", { connection: "localhost:6379", queues: [QUEUE] }, /`connection`.*redis:\/\/host/],
  ["no connection", { queues: [QUEUE] }, /`connection`/],
  ["no queues", { connection, queues: [] }, /`queues`.*is empty/],
  ["no list", { connection, queues: QUEUE }, /`queues`.*is empty/],
  ["nothing for a queue", { connection, queues: [undefined] }, /"undefined".*`name`/],
  ["a name with a colon", { connection, queues: [{ ...QUEUE, name: "a:b" }] }, /"a:b".*`name`/],
  ["a name with a space", { connection, queues: [{ ...QUEUE, name: "a b" }] }, /"a b".*`as`/],
  ["a long name", { connection, queues: [{ ...QUEUE, name: "a".repeat(94) }] }, /`as`/],
  ["no tenant", { connection, queues: [{ name: "mail", owner: "ops" }] }, /"mail".*no `tenant`/],
  ["no owner", { connection, queues: [{ ...QUEUE, owner: "" }] }, /"mail".*no `owner`/],
  ["a long owner", { connection, queues: [{ ...QUEUE, owner: "o".repeat(301) }] }, /no `owner`/],
  ["an empty prefix", { connection, queues: [{ ...QUEUE, prefix: "" }] }, /`prefix`/],
  ["no number", { connection, queues: [{ ...QUEUE, history: 1.5 }] }, /`history`/],
  [
    "too much history",
    { connection, queues: [{ ...QUEUE, history: 100_001 }] },
    /`history`.*100000/,
  ],
  [
    "a queue twice",
    { connection, queues: [QUEUE, { ...QUEUE, owner: "b" }] },
    /"bullmq:mail".*`as`/,
  ],
])(
  "[X8] %s is refused before anything is opened, and the error says what to change",
  (_what, options, text) => {
    expect(() => bullmqQueues(options as BullmqOptions)).toThrow(KindError);
    expect(() => bullmqQueues(options as BullmqOptions)).toThrow(text);
  },
);

test("[X8] queues of one name have kinds of their own by `as`", () => {
  const queues = [QUEUE, { ...QUEUE, prefix: "{other}", as: "other.mail" }];
  expect(bullmqQueues({ connection: { port: 6379 }, queues }).kinds).toEqual([
    "bullmq:mail",
    "bullmq:other.mail",
  ]);
});

const source = () => bullmqQueues({ connection, queues: [QUEUE] });
const open = (sources: unknown) => () => createJobwire({ kinds: [], sources: sources as [] });

test("[X8] two sources of one queue, and what is no source, are refused", () => {
  expect(open([source(), source()])).toThrow(/Two sources have the jobs "bullmq:mail"/);
  expect(open([source(), {}])).toThrow(/Source 2 of the list is none/);
  expect(open([null])).toThrow(/Source 1 of the list is none/);
  expect(open(source())).toThrow(/The sources are no list/);
});
