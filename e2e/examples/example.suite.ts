/** The claims that hold for each example, whatever serves it. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createJobwireClient, type JobHandle, type JobwireClient } from "#client/lib/client.ts";
import type { JobEvent } from "#shared/events.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import { openCable } from "#test/transports/cable.fixture.ts";
import type { Example } from "./example.ts";

export interface Claims {
  /** The path below which Jobwire is: `/jobwire`. */
  basePath: string;
  start: (env: Record<string, string>) => Promise<Example>;
  kind: string;
  /** Of a job with 60 steps, which take some seconds together. */
  input: (example: Example) => unknown;
  /** The last lines that `client.ts` writes. */
  clientEnds: RegExp;
  /** Signs in, where callers have to. */
  signIn?: (example: Example) => Promise<string>;
  /** The address that clients reach, where it is not the program's own. */
  front?: () => string;
}

/** Enough that the job still runs when its watch has shown these. */
const FIRST_EVENTS = 4;

/** Returns the running example. */
export function describeExample(claims: Claims): () => Example {
  const { basePath, kind, input, signIn } = claims;
  let example: Example;

  beforeAll(async () => {
    // A job that runs at a SIGTERM is given back at once, and runs again after the next start.
    example = await claims.start({ SHUTDOWN_GRACE_MS: "0" });
  });

  afterAll(() => example.remove());

  const front = () => claims.front?.() ?? example.url;

  function connect(url: string): JobwireClient {
    const getToken = signIn && (() => signIn(example));
    const client = createJobwireClient({ url: url + basePath, getToken });
    onTestFinished(() => client.close());
    return client;
  }

  async function createJob(client: JobwireClient): Promise<JobHandle> {
    const job = await client.kinds[kind]?.create(input(example));
    if (job === undefined) throw new Error(`There is no kind ${kind}.`);
    return job;
  }

  describe("as every example", () => {
    test("its client runs a job to its result", async () => {
      const output = await example.run(["client.ts"], { URL: front() });
      expect(output).toMatch(claims.clientEnds);
    });

    test("the page is below its path", async () => {
      for (const path of ["", "/", "/jobs/1"]) {
        const response = await fetch(`${front()}${basePath}${path}`);
        expect([path, response.status]).toEqual([path, 200]);
        expect(await response.text()).toContain("<title>Jobwire</title>");
      }
      expect((await fetch(`${front()}${basePath}/healthz`)).status).toBe(200);
    });

    test("[S5] a cut connection costs a watcher no event", async () => {
      const cable = await openCable(front());
      const client = connect(cable.url);
      const job = await createJob(client);
      const { seen, begun, ended } = follow(job);
      await begun;
      cable.cut();
      const before = seen.length;
      await job.result();
      await expectWhole(client, job, await ended);
      expect(seen.length).toBeGreaterThan(before);
    });

    test("[J10] SIGTERM ends it with 0 while a client watches, whose watch goes on after the next start", async () => {
      const client = connect(front());
      const job = await createJob(client);
      const { begun, ended } = follow(job);
      await begun;
      expect(await example.stop()).toBe(0);
      await example.start();
      await job.result();
      const seen = await ended;
      await expectWhole(client, job, seen);
      expect(seen.at(-1)).toMatchObject({ status: "DELIVERED", attempt: 2 });
    });
  });
  return () => example;
}

/** Follows a job from its beginning. Resolves `begun` after its first events, and `ended` with all of them. */
function follow(job: JobHandle) {
  const seen: JobEvent[] = [];
  const ended = (async () => {
    for await (const event of job.events({ lastEventId: "0" })) seen.push(event);
    return seen;
  })();
  const begun = vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(FIRST_EVENTS));
  return { seen, begun, ended };
}

async function expectWhole(client: JobwireClient, job: JobHandle, seen: JobEvent[]) {
  const { items: log } = await client.trpc.job.events.query({ jobId: job.id, limit: 1000 });
  expect(checkRecord(log, [{ after: 0, seen }])).toEqual([]);
  expect(seen).toHaveLength(log.length);
}
