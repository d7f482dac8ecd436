/** A field of a request may have the length of its limit; beyond it, the request is refused. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import {
  MAX_BATCH_NAME_CHARS,
  MAX_DEBOUNCE_KEY_CHARS,
  MAX_DEVICE_CHARS,
  MAX_JOB_ATTEMPTS,
  MAX_KEY_CHARS,
  MAX_KIND_CHARS,
  MAX_LOG_LINES,
  MAX_NOTE_CHARS,
  MAX_PAGE_CURSOR_CHARS,
  MAX_PAGE_EVENTS,
  MAX_PAGE_ITEMS,
  MAX_PRIORITY,
  MAX_START_DELAY_MS,
} from "#shared/limits.ts";
import { type Client, openClient, openTestServer } from "#test/transports/trpc.fixture.ts";

const ID = newId();
const work = { kind: "work", input: {} };
/** One code point, and two UTF-16 units. */
const text = (length: number) => "🙂".repeat(length);

const FIELDS: [
  field: string,
  limit: number,
  ask: (client: Client, size: number) => Promise<unknown>,
][] = [
  ["note", MAX_NOTE_CHARS, ({ job }, n) => job.cancel.mutate({ jobId: ID, note: text(n) })],
  ["note", MAX_NOTE_CHARS, ({ job }, n) => job.approve.mutate({ jobId: ID, note: text(n) })],
  ["note", MAX_NOTE_CHARS, ({ batch }, n) => batch.cancel.mutate({ batchId: ID, note: text(n) })],
  [
    "name",
    MAX_BATCH_NAME_CHARS,
    ({ batch }, n) => batch.create.mutate({ jobs: [work], name: text(n) }),
  ],
  [
    "idempotencyKey",
    MAX_KEY_CHARS,
    ({ job }, n) => job.create.mutate({ ...work, idempotencyKey: text(n) }),
  ],
  [
    "idempotencyKey",
    MAX_KEY_CHARS,
    ({ batch }, n) => batch.create.mutate({ jobs: [work], idempotencyKey: text(n) }),
  ],
  ["kind", MAX_KIND_CHARS, ({ job }, n) => job.create.mutate({ ...work, kind: text(n) })],
  [
    "kind",
    MAX_KIND_CHARS,
    ({ batch }, n) => batch.create.mutate({ jobs: [{ ...work, kind: text(n) }] }),
  ],
  ["kind", MAX_KIND_CHARS, ({ job }, n) => job.list.query({ kind: text(n) })],
  ["limit", MAX_PAGE_ITEMS, ({ job }, n) => job.list.query({ limit: n })],
  ["limit", MAX_PAGE_ITEMS, ({ batch }, n) => batch.list.query({ limit: n })],
  ["limit", MAX_PAGE_EVENTS, ({ job }, n) => job.events.query({ jobId: ID, limit: n })],
  ["limit", MAX_LOG_LINES, ({ job }, n) => job.logs.query({ jobId: ID, limit: n })],
  ["cursor", MAX_PAGE_CURSOR_CHARS, ({ job }, n) => job.list.query({ cursor: text(n) })],
  [
    "device",
    MAX_DEVICE_CHARS,
    ({ job }, n) => job.typing.mutate({ jobId: ID, typing: true, device: text(n) }),
  ],
  ["priority", MAX_PRIORITY, ({ job }, n) => job.create.mutate({ ...work, priority: n })],
  ["maxAttempts", MAX_JOB_ATTEMPTS, ({ job }, n) => job.create.mutate({ ...work, maxAttempts: n })],
  ["delayMs", MAX_START_DELAY_MS, ({ job }, n) => job.create.mutate({ ...work, delayMs: n })],
  [
    "expiresInMs",
    MAX_START_DELAY_MS,
    ({ batch }, n) => batch.create.mutate({ jobs: [work], expiresInMs: n }),
  ],
  [
    "debounce.key",
    MAX_DEBOUNCE_KEY_CHARS,
    ({ job }, n) => job.create.mutate({ ...work, debounce: { key: text(n), windowMs: 1 } }),
  ],
  [
    "debounce.windowMs",
    MAX_START_DELAY_MS,
    ({ job }, n) =>
      job.create.mutate({ ...work, debounce: { key: "k", windowMs: n, maxWaitMs: n } }),
  ],
  ["cursor", MAX_PAGE_CURSOR_CHARS, ({ batch }, n) => batch.list.query({ cursor: text(n) })],
];

/** The message of the refusal by the schema of the input, if there is one. */
async function refusal(asked: Promise<unknown>): Promise<string | undefined> {
  const error = await asked.then(
    () => undefined,
    (cause: Error) => cause,
  );
  return error !== undefined && /Too big/.test(error.message) ? error.message : undefined;
}

test.each(FIELDS)("[H11] %s has a limit of %i", async (field, limit, ask) => {
  const { url } = await openTestServer();
  const client = openClient(url, "ws");
  expect(await refusal(ask(client, limit))).toBeUndefined();
  const beyond = await refusal(ask(client, limit + 1));
  expect(beyond).toContain(field);
  expect(beyond).toContain(String(limit));
});
