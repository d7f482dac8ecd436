/** `jobwire backup` and `jobwire restore` beside a server that works, without one, and on Redis. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { jobwire } from "./run-command.ts";
import { startServer } from "./server.ts";

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-backup-"));
  file = join(dir, "backup.db");
});
afterEach(() => rm(dir, { recursive: true }));

const run = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  jobwire(env, args, { cwd: dir });

async function startedServer(env: Record<string, string> = {}) {
  const server = await startServer({ env });
  onTestFinished(() => server.stop());
  return server;
}

const clientOf = (url: string) => createJobwireClient({ url });
const ARTICLE = {
  kind: "article",
  input: { targetUrl: "http://127.0.0.1:1/", publisherDomain: "example.com", anchorText: "this" },
};

test("[J19] a server is backed up while it creates jobs, and another goes on from the file", async () => {
  const server = await startedServer();
  const client = clientOf(server.url);
  const { id } = await client.trpc.job.create.mutate(ARTICLE);
  let done = false;
  const creating = (async () => {
    while (!done) await client.trpc.job.create.mutate(ARTICLE);
  })();
  // A relative path is one of the command's directory.
  const { code, out, err } = await run(server.env, "backup", "backup.db", "--json");
  done = true;
  await creating;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual({ path: file, bytes: expect.any(Number) as number });
  expect(await readdir(dir)).toEqual(["backup.db"]);

  const again = await run(server.env, "backup", file);
  expect(again).toMatchObject({ code: 1, out: "" });
  expect(again.err).toContain(`${file} exists`);
  const over = await run(server.env, "restore", file);
  expect(over).toMatchObject({ code: 1, out: "" });
  expect(over.err).toContain("holds data already");

  const dataDir = join(dir, "restored");
  const restored = await run({ ...server.env, DATA_DIR: dataDir }, "restore", file);
  expect(restored).toMatchObject({ code: 0, err: "" });
  expect(restored.out).toMatch(/^Restored \S+ to \S+: jobs: \d+, the newest of \d{4}-/);
  const other = await startedServer({ DATA_DIR: dataDir });
  expect(await clientOf(other.url).trpc.job.get.query({ jobId: id })).toMatchObject({ id });
  const events = [];
  for await (const event of clientOf(other.url).job(id).events({ lastEventId: "0" }))
    events.push(event.seq);
  expect(events).toEqual(events.map((_, index) => index + 1));
});

test("[J19] the data of a stopped server are backed up, and nothing where there are none", async () => {
  const server = await startedServer();
  await clientOf(server.url).trpc.job.create.mutate(ARTICLE);
  await server.kill("SIGKILL");
  const { code, out } = await run(server.env, "backup", file);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^Wrote ${file}, \\d+ bytes\\.\\n$`));
  const data = await newTestData();
  onTestFinished(() => data.remove());
  const none = await run({ ...data.env, DATA_DIR: join(dir, "none") }, "backup", "b.db");
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.err).toContain("there is nothing to back up");
  expect(existsSync(join(dir, "none"))).toBe(false);
});

test.each(["backup", "restore"])(
  "jobwire %s says that Redis has means of its own",
  async (verb) => {
    const { code, err } = await run({ REDIS_URL: "redis://127.0.0.1:1" }, verb, file);
    expect(code).toBe(1);
    expect(err).toContain("docs/operations.md says how");
  },
);
