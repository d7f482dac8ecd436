/** Tests of kinds, as a program writes them, with the test runner of Node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineKind, Transient } from "jobwire";
import { createFaultProxy, runKind, startTestJobwire } from "jobwire/testing";
import { z } from "zod";
import { greetings } from "./jobs.ts";

const HOUR_MS = 3_600_000;
const me = { userId: "ann", tenantId: "shop", scopes: ["*"] };

const deliveries = defineKind({
  name: "deliveries",
  input: z.object({ failures: z.int() }),
  output: z.object({ attempts: z.int() }),
  async run({ input, attempt }) {
    if (attempt <= input.failures) throw new Transient("BUSY", "The warehouse is busy.");
    return { attempts: attempt };
  },
});

test("a kind runs without a server", async () => {
  const { job, draft } = await runKind(greetings, { name: "Ada" });
  const output: string | null = job.output;
  assert.deepEqual([output, draft], ["Hello, Ada, from all of us", "Hello, Ada"]);
});

test("a kind that fails three times settles at once", async () => {
  const { job, events } = await runKind(deliveries, { failures: 3 }, { maxAttempts: 4 });
  assert.deepEqual(job.output, { attempts: 4 });
  assert.equal(events.filter(({ type }) => type === "retrying").length, 3);
});

test("a job takes minutes of retries, and is deleted after days", async () => {
  const env = { MAX_ATTEMPTS: "6", RETENTION_DAYS: "3" };
  const { jobwire, clock, close } = await startTestJobwire({ kinds: [deliveries], env });
  const { id } = await jobwire.kinds.deliveries.create(me, { failures: 5 });
  await clock.advance(HOUR_MS);
  const { output } = await jobwire.kinds.deliveries.get(me, id);
  assert.deepEqual(output, { attempts: 6 });
  await clock.advance(4 * 24 * HOUR_MS);
  await assert.rejects(jobwire.kinds.deliveries.get(me, id), { code: "NOT_FOUND" });
  await close();
});

test("a server is gone while its proxy is down", async () => {
  const { url, close } = await startTestJobwire({ kinds: [greetings] });
  const proxy = await createFaultProxy(url);
  assert.equal((await fetch(`${proxy.url}/readyz`)).status, 200);
  proxy.down();
  await assert.rejects(fetch(`${proxy.url}/readyz`));
  await proxy.close();
  await close();
});

/** Each line below `@ts-expect-error` must not compile. */
export async function wrong() {
  // @ts-expect-error: a field has another type
  await runKind(greetings, { name: 5 });
  // @ts-expect-error: attempts are a number
  await runKind(greetings, { name: "Ada" }, { maxAttempts: "3" });
  const { job } = await runKind(deliveries, { failures: 0 });
  // @ts-expect-error: the output has no such field
  void job.output?.tries;
  const { jobwire, clock } = await startTestJobwire({ kinds: [greetings] });
  // @ts-expect-error: there is no such kind
  void jobwire.kinds.deliveries;
  // @ts-expect-error: milliseconds
  await clock.advance("1 h");
  // @ts-expect-error: it goes forward alone
  await clock.goBack(1000);
}
