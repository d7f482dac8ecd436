/** Work for workers of other programs, over the API. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openWorkFixture, type TestCaller, type WorkFixture } from "#test/work/work.fixture.ts";

let fixture: WorkFixture;
let ann: TestCaller;
let worker: TestCaller;
let other: TestCaller;
let operator: TestCaller;

beforeAll(async () => {
  fixture = await openWorkFixture();
  ann = fixture.as("acme:ann:read,write");
  worker = fixture.as("acme:worker:work");
  other = fixture.as("bakery:worker:work");
  operator = fixture.as("hosting:worker:work,operator");
});
afterAll(() => fixture.close());

const FILE = { output: { file: "a.png" } };
const status = async (jobId: string) => (await ann.job(jobId)).status;
const reaches = (jobId: string, expected: object) =>
  vi.waitFor(async () => expect(await ann.job(jobId)).toMatchObject(expected));

describe("who gets which jobs", () => {
  test("[G1] a worker gets jobs of kinds without `run`, and the process those of the others", async () => {
    const [here, render] = [await ann.create("here"), await ann.create("render", 7)];
    await reaches(here, { status: "DELIVERED" });
    expect(await status(render)).toBe("PENDING");
    const job = await worker.take();
    expect(job).toMatchObject({ jobId: render, kind: "render", tenant: "acme", input: { n: 7 } });
    expect(job).toMatchObject({ title: "render", attempt: 1, leaseEndsInMs: 30_000 });
    expect(await ann.job(render)).toMatchObject({ status: "PROCESSING", message: "Job started" });
    expect(await worker.report("deliver", job, { ...FILE, message: "Drawn" })).toEqual({
      status: 200,
      body: { status: "DELIVERED", cancelled: false },
    });
    expect(await ann.job(render)).toMatchObject({ message: "Drawn", output: { file: "a.png" } });
  });

  test("[G2] a worker gets jobs of its own tenant alone, one with `operator` those of all", async () => {
    const jobId = await ann.create();
    expect(await other.claim()).toEqual([]);
    const job = await operator.take();
    expect(job).toMatchObject({ jobId, tenant: "acme" });
    for (const name of ["progress", "renew", "deliver", "fail", "release", "draft", "block"]) {
      const body = { percent: 1, message: "Mine", text: "Mine", ...FILE };
      expect((await other.report(name, job, body)).body).toMatchObject({ code: "NOT_FOUND" });
    }
    expect(await ann.job(jobId)).toMatchObject({ status: "PROCESSING", version: 2 });
    expect((await operator.report("deliver", job, FILE)).status).toBe(200);
  });

  test("[G1] jobs that the process runs, and kinds that it does not know, are for no worker", async () => {
    for (const kind of ["here", "no such kind"]) {
      const { status: code, body } = await worker.post("/work/claims", { kinds: ["render", kind] });
      expect(code).toBe(400);
      expect(body.detail).toContain(`"${kind}" is no kind whose jobs workers of other programs`);
      expect(body.errors).toMatchObject([{ pointer: "/kinds/1" }]);
    }
    const jobId = await ann.create("here");
    const ours = await worker.report("fail", { jobId, token: "1.1.30000" }, { message: "No" });
    expect(ours.body).toMatchObject({ code: "NOT_FOUND" });
  });

  test("[G3] of two workers that wait, each gets jobs of its own, and the first that asked comes first", async () => {
    const first = worker.claim({ waitMs: 30_000, max: 2 });
    const second = worker.claim({ waitMs: 30_000, max: 5 });
    const elsewhere = other.claim({ waitMs: 100 });
    const made = await Promise.all(Array.from({ length: 7 }, () => ann.create()));
    const given = [...(await first), ...(await second)];
    while (given.length < 7) given.push(...(await worker.claim({ max: 50, waitMs: 1000 })));
    expect(given.map(({ jobId }) => jobId).toSorted()).toEqual(made.toSorted());
    expect(await elsewhere).toEqual([]);
    await Promise.all(given.map((job) => worker.report("deliver", job, FILE)));
  });

  test("[G3] limits of a kind hold for workers too", async () => {
    const [first, second] = [await ann.create("single"), await ann.create("single")];
    const kinds = ["single"];
    const job = await worker.take({ kinds, max: 9 });
    expect(job.jobId).toBe(first);
    const next = worker.take({ kinds });
    expect((await worker.report("deliver", job, { output: 1 })).status).toBe(200);
    expect((await next).jobId).toBe(second);
    await worker.report("deliver", await next, { output: 1 });
  });

  test("[G3] a pause holds for workers too, and its end is told to those that wait", async () => {
    const pause = { tenant: "acme" };
    expect((await operator.post("/pauses", pause)).status).toBe(200);
    const jobId = await ann.create();
    expect(await worker.claim()).toEqual([]);
    const next = worker.take();
    await operator.remove("/pauses?tenant=acme");
    expect((await next).jobId).toBe(jobId);
    await ann.cancel(jobId);
  });

  test("[G3] a caller that does not wait is answered at once, one that waits after its time", async () => {
    expect(await worker.claim({ kinds: ["other"] })).toEqual([]);
    expect(await worker.claim({ kinds: ["other"], waitMs: 20 })).toEqual([]);
  });

  test("[G3] a job for a caller who has left goes to the next one", async () => {
    const leaving = new AbortController();
    const left = worker.claim({ waitMs: 30_000 }, leaving.signal).catch(() => []);
    // The call has arrived when others, which came later, are answered.
    for (let n = 0; n < 3; n++) await worker.claim({ kinds: ["other"] });
    const next = worker.claim({ waitMs: 30_000 });
    leaving.abort();
    await left;
    for (let n = 0; n < 3; n++) await worker.claim({ kinds: ["other"] });
    const jobId = await ann.create();
    expect(await next).toMatchObject([{ jobId, attempt: 1 }]);
    await ann.cancel(jobId);
  });
});

async function taken(kind = "render", asked = {}) {
  const jobId = await ann.create(kind);
  return { jobId, job: await worker.take({ kinds: [kind], ...asked }) };
}

describe("calls about a job", () => {
  test("[G4] progress, details and a draft are shown, and each renews the lease", async () => {
    const { jobId, job } = await taken("render", { leaseMs: 20_000 });
    const report = { percent: 41.2, message: "Half", details: { done: 3 } };
    const held = { cancelled: false, leaseEndsInMs: 20_000 };
    expect((await worker.report("progress", job, report)).body).toEqual(held);
    expect(await ann.job(jobId)).toMatchObject({ progress: 41, details: { done: 3 } });
    const draft = async (text: string, at?: number) =>
      (await worker.report("draft", job, { text, at })).body;
    expect(await draft("Once ", 0)).toEqual({ ...held, length: 5 });
    expect(await draft("Once ", 0)).toEqual({ ...held, length: 5 });
    expect(await draft("upon", 5)).toEqual({ ...held, length: 9 });
    expect(await draft("far", 99)).toMatchObject({ code: "BAD_REQUEST" });
    expect((await worker.report("renew", job)).body).toEqual(held);
    const blocked = { status: "BLOCKED", cancelled: false };
    const block = { ...FILE, message: "Look at it" };
    expect((await worker.report("block", job, block)).body).toEqual(blocked);
    expect((await worker.report("block", job, block)).body).toEqual(blocked);
    expect(await ann.job(jobId)).toMatchObject({ status: "BLOCKED", message: "Look at it" });
  });

  test("[G5] what does not fit the kind is refused with its place, and the job goes on", async () => {
    const { jobId, job } = await taken();
    const wrong = await worker.report("deliver", job, { output: { file: 3 } });
    expect(wrong.body).toMatchObject({ status: 400, errors: [{ pointer: "/output/file" }] });
    const details = { percent: 1, message: "", details: { done: "much" } };
    const misfit = await worker.report("progress", job, details);
    expect(misfit.body).toMatchObject({ status: 400, errors: [{ pointer: "/details/done" }] });
    const huge = await worker.report("deliver", job, {
      output: { file: "x".repeat(6 * 1024 * 1024) },
    });
    expect(huge.body.detail).toContain("limit");
    expect(await ann.job(jobId)).toMatchObject({ status: "PROCESSING", version: 2 });
    expect((await worker.report("deliver", job, FILE)).status).toBe(200);
  });

  test.each([
    ["deliver", FILE, "DELIVERED"],
    ["fail", { code: "NO_FONT", message: "There is no font" }, "ABORTED"],
    ["fail", { message: "The printer is away", retry: true, retryAfterMs: 3_000_000 }, "PENDING"],
    ["release", {}, "PENDING"],
  ])(
    "[G6] a call to %s that is repeated is answered as the first one, and does nothing",
    async (name, body, expected) => {
      const kinds = ["render"];
      const { jobId, job } = await taken();
      const answer = { status: 200, body: { status: expected, cancelled: false } };
      // Both at once, and once more.
      const [one, two] = [worker.report(name, job, body), worker.report(name, job, body)];
      expect([await one, await two]).toEqual([answer, answer]);
      const { version } = await ann.job(jobId);
      expect(await worker.report(name, job, body)).toEqual(answer);
      expect(await ann.job(jobId)).toMatchObject({ status: expected, version });
      if (name === "release") await worker.take({ kinds });
      if (expected === "PENDING") await ann.cancel(jobId);
    },
  );

  test("[G6] a token of an earlier attempt, of a job that ended, or of none is refused", async () => {
    const { jobId, job } = await taken();
    await worker.report("fail", job, { message: "Again", retry: true });
    const again = await worker.take();
    expect(again).toMatchObject({ jobId, attempt: 2 });
    for (const name of ["renew", "progress", "deliver", "fail", "release"]) {
      const stale = await worker.report(name, job, { percent: 1, message: "Late", ...FILE });
      expect(stale.body).toMatchObject({ status: 409, code: "CLAIM_LOST" });
    }
    const forged = { ...again, token: again.token.replace(/^\d+/, "987654321") };
    expect((await worker.report("deliver", forged, FILE)).status).toBe(409);
    expect(await ann.job(jobId)).toMatchObject({ status: "PROCESSING", attempt: 2 });
    await worker.report("deliver", again, FILE);
    const after = await worker.report("progress", again, { percent: 1, message: "More" });
    expect(after.body.detail).toContain("does not hold job");
  });

  test("[G7] a cancel is told with the answer to the next call, whichever it is", async () => {
    for (const name of ["renew", "progress", "draft", "deliver", "block", "fail", "release"]) {
      const { jobId, job } = await taken();
      await ann.cancel(jobId);
      const body = { percent: 1, message: "Late", text: "Late", ...FILE };
      const told = await worker.report(name, job, body);
      expect(told).toMatchObject({ status: 200, body: { cancelled: true } });
      expect(await ann.job(jobId)).toMatchObject({ error: { code: "CANCELLED" }, output: null });
    }
  });

  test("[G8] a worker that died loses the job when its lease ends, and the policy of the kind holds", async () => {
    const { jobId, job } = await taken("render", { leaseMs: 1000 });
    const again = await worker.take({ leaseMs: 1000 });
    expect(again).toMatchObject({ jobId, attempt: 2 });
    expect((await worker.report("deliver", job, FILE)).status).toBe(409);
    await reaches(jobId, { status: "ABORTED", error: { code: "CRASHED" } });
  });

  test("[G8] an attempt that takes longer than its kind allows is ended, with or without a word of its worker", async () => {
    const kinds = ["brief"];
    const { jobId, job } = await taken("brief");
    expect(job.leaseEndsInMs).toBe(300);
    await reaches(jobId, { status: "ABORTED", error: { code: "TIME_LIMIT" } });
    const late = await worker.report("deliver", job, { output: 1 });
    expect(late.body).toMatchObject({ code: "CLAIM_LOST" });
    const second = await ann.create("brief");
    const talking = await worker.take({ kinds });
    await vi.waitFor(async () => {
      expect((await worker.report("renew", talking)).body).toMatchObject({ code: "CLAIM_LOST" });
    });
    await reaches(second, { status: "ABORTED", error: { code: "TIME_LIMIT" } });
  });

  test("[G8] an error that may pass is tried again as often as the kind says", async () => {
    const { jobId, job } = await taken();
    const failing = { code: "AWAY", message: "The printer is away", retry: true };
    expect((await worker.report("fail", job, failing)).body.status).toBe("PENDING");
    expect((await ann.job(jobId)).message).toContain("The printer is away - Trying again");
    const again = await worker.take();
    expect((await worker.report("fail", again, failing)).body.status).toBe("ABORTED");
    expect(await ann.job(jobId)).toMatchObject({ error: { code: "AWAY" } });
  });

  test.each<[what: string, path: string, body: unknown, status: number]>([
    ["no kinds", "/work/claims", { kinds: [] }, 400],
    ["too many kinds", "/work/claims", { kinds: Array(101).fill("render") }, 400],
    ["too many jobs", "/work/claims", { kinds: ["render"], max: 51 }, 400],
    ["a wait that is too long", "/work/claims", { kinds: ["render"], waitMs: 30_001 }, 400],
    ["a lease that is too short", "/work/claims", { kinds: ["render"], leaseMs: 999 }, 400],
    ["a lease that is too long", "/work/claims", { kinds: ["render"], leaseMs: 600_001 }, 400],
    ["a kind that is no text", "/work/claims", { kinds: [{ toString: 1 }] }, 400],
    ["a body that is no object", "/work/claims", "[]", 400],
    ["a body that is cut off", "/work/claims", '{"kinds":["render"', 400],
    ["an id that is none", "/work/jobs/7/renew", { token: "1.1.1" }, 400],
  ])("[G5] %s is refused", async (_what, path, body, expected) => {
    const { status: code, body: problem } = await worker.post(path, body);
    expect(code).toBe(expected);
    expect(problem.detail).not.toBe("");
  });

  test("[G5] hostile reports are refused, and change nothing", async () => {
    const { jobId, job } = await taken();
    const hostile: [name: string, body: Record<string, unknown>][] = [
      ["renew", { token: "" }],
      ["renew", { token: "1.1" }],
      ["renew", { token: "99999999999999999.1.1" }],
      ["renew", { token: `1.1.${"9".repeat(200)}` }],
      ["renew", { token: { jobId } }],
      ["progress", { percent: 101, message: "Too far" }],
      ["progress", { percent: "1", message: "Text" }],
      ["progress", { percent: 1, message: "\ud800" }],
      ["progress", { percent: 1, message: "x".repeat(20_000) }],
      ["draft", { text: "\udc00" }],
      ["draft", { text: "x".repeat(300_000) }],
      ["draft", { text: "x", at: -1 }],
      ["deliver", {}],
      ["deliver", { output: { file: "\ud800" }, message: 3 }],
      ["fail", { message: "No", retryAfterMs: 1e12, retry: true }],
      ["fail", { message: "No", code: "" }],
      ["fail", {}],
    ];
    for (const [name, body] of hostile) {
      const { status: code } = await worker.report(name, job, body);
      expect({ name, body, code }).toEqual({ name, body, code: 400 });
    }
    expect(await ann.job(jobId)).toMatchObject({ status: "PROCESSING", version: 2 });
    // A longer lease than the server grants is one that it grants.
    const long = { ...job, token: job.token.replace(/\d+$/, "9999999999") };
    expect((await worker.report("renew", long)).body.leaseEndsInMs).toBe(600_000);
    await ann.cancel(jobId);
  });
});

test("[R3] a call that waits counts as a connection of its user", async () => {
  const limited = await openWorkFixture({ LIMIT_USER_CONNECTIONS: "1" });
  const [one, two] = [limited.as("acme:one:work"), limited.as("acme:two:work")];
  const ask = () => one.post("/work/claims", { kinds: ["render"] });
  const both = [ask(), ask()];
  // The other one waits.
  const { body } = await Promise.race(both);
  expect(body).toMatchObject({ code: "RATE_LIMITED", detail: expect.stringContaining("1 conn") });
  expect(await two.claim()).toEqual([]);
  await limited.close();
  const codes = (await Promise.all(both)).map(({ status: code }) => code);
  expect(codes.toSorted((a, b) => a - b)).toEqual([200, 429]);
});

test("[G9] a restart ends the calls that wait, and takes no job from its worker", async () => {
  const jobId = await ann.create();
  const job = await worker.take();
  const waiting = worker.claim({ kinds: ["other"], waitMs: 30_000 });
  // The call has arrived when another one, which came later, is answered.
  await worker.claim({ kinds: ["other"] });
  await fixture.restart();
  expect(await waiting).toEqual([]);
  const next = worker.take({ kinds: ["other"] });
  const report = await worker.report("progress", job, { percent: 50, message: "Half" });
  expect(report.body).toEqual({ cancelled: false, leaseEndsInMs: 30_000 });
  expect((await worker.report("deliver", job, FILE)).body).toMatchObject({ status: "DELIVERED" });
  expect(await status(jobId)).toBe("DELIVERED");
  const other = await ann.create("other");
  expect(await next).toMatchObject({ jobId: other, attempt: 1 });
});
