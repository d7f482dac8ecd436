/** Runs each snippet of docs/from-bullmq.md as it stands there, with a Redis and a worker of BullMQ. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { READ_RIGHTS, startBullmqRedis } from "#test/bullmq/bullmq.fixture.ts";
import { newTestData } from "#test/engine/data.fixture.ts";

const redis = await startBullmqRedis(inject("redisServer"));
afterAll(() => redis.close());

let page: string;
let snippets: string[];
beforeAll(async () => {
  page = await readFile(new URL("../../docs/from-bullmq.md", import.meta.url), "utf8");
  snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
});

async function run(code: string, url: string): Promise<string> {
  const data = await newTestData();
  onTestFinished(() => data.remove());
  const env = { ...process.env, ...data.env, LOG_LEVEL: "silent", BULLMQ_REDIS_URL: url };
  const args = ["--input-type=module-typescript", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return stdout;
}

test("[X1] the program of the guide shows the jobs of its queues, and the watch of each runs to its end", async () => {
  const { queue, work } = redis.queue("mail");
  work(async (job) => {
    await job.updateProgress(50);
    return "sent";
  });
  await queue.add("welcome", { to: "ann" });
  await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBe(1));
  const [program, watch] = snippets;
  const untilShown = `
    await jobwire.start();
    const shown = async () => (await jobwire.jobs.list({ userId: "ops", tenantId: "acme", scopes: ["*"] }))
      .items.some(({ status }) => status === "DELIVERED");
    while (!(await shown())) await new Promise((resolve) => setTimeout(resolve, 20));`;
  const code = `${program}${untilShown}${watch}await jobwire.close();`;
  expect(await run(code, redis.readOnlyUrl)).toBe("welcome delivered 100 Completed\n");
});

test("[X5] the program of the guide with `control` cancels a job in BullMQ", async () => {
  const { queue } = redis.queue("mail");
  const { id } = await queue.add("later", {}, { delay: 3_600_000 });
  const driver = `
    const ops = { userId: "ops", tenantId: "acme", scopes: ["*"] };
    let job;
    while (job === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      job = (await jobwire.jobs.list(ops)).items.find(({ title }) => title === "later");
    }
    console.log((await jobwire.jobs.cancel(ops, job.id)).status);
    await jobwire.close();
    await mail.close();`;
  expect(await run(`${snippets[2]}${driver}`, redis.url)).toBe("ABORTED\n");
  expect(await queue.getJob(id ?? "")).toBeUndefined();
});

test("each snippet of the guide is run, and the rights that it names are those of the tests", () => {
  expect(snippets).toHaveLength(3);
  expect(page).toContain(`resetchannels ${READ_RIGHTS}\n`);
});
