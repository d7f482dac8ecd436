/** The guide's Python program over https, with a token as one more argument. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { createPair, tlsEnv, trust, writeLastingPair } from "#test/tls/certificate.fixture.ts";
import { type Claims, SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { type PythonProgram, runPython, TRUSTING } from "./python.ts";
import { GUIDE_LINES, LINES, openUser, pythonProgram } from "./signed-in-programs.ts";

const WAIT = { timeout: 120_000 };
const NO_TOKEN = 'sio.connect("https://jobs.example.com")';

let files: Awaited<ReturnType<typeof writeLastingPair>>;
let server: RunningServer;

beforeAll(async () => {
  const pair = await createPair();
  trust(pair);
  files = await writeLastingPair(pair);
  const env = {
    ...tlsEnv(files),
    // The server fetches its own sample pages.
    NODE_EXTRA_CA_CERTS: files.cert,
    OFFLINE_PACE_MS: "20",
    AUTH_JWT_SECRET: SECRET,
  };
  server = await startServer({ env });
});
afterAll(async () => {
  await server.stop();
  await files.remove();
});

function run(line: string, options: { jobId?: string; before?: string } = {}): PythonProgram {
  const args = ["-c", pythonProgram(server, line, options)];
  const program = runPython(inject("python"), args, TRUSTING.Client(files.cert));
  onTestFinished(() => program.end());
  return program;
}

/**
 * How often the program printed a text. python-socketio runs each handler in its own thread, and Python prints a line and its
 * end separately, so neither the order of the lines nor their ends are reliable.
 */
const told = ({ lines }: PythonProgram, text: string) => lines.join("\n").split(text).length - 1;

/** An article of the user that waits for a decision. */
async function createUndecided(user: string) {
  const person = await openUser(server, user);
  const jobId = await person.createUndecided();
  await vi.waitFor(async () => expect(await person.statusOf(jobId)).toBe("BLOCKED"), WAIT);
  return { person, jobId };
}

test("[L1] the documented line is the guide's with another URL and one more argument", () => {
  const ofGuide = LINES.WITH_TOKEN.replace("https://jobs.example.com", "http://localhost:8000")
    .replaceAll('"', "'")
    .replace(", auth={'token': token})", ")");
  expect(ofGuide).toBe(GUIDE_LINES.python);
});

test("[L1] [L2] [L3] [P1] the guide's Python program over https, with a token, receives every event", async () => {
  const { person, jobId } = await createUndecided("ann");
  const guide = run(LINES.WITH_TOKEN, { jobId, before: `token = "${await tokenFor("ann")}"` });
  await vi.waitFor(() => expect(told(guide, "Job update: "), guide.stderr()).toBe(1), WAIT);
  const before = (await person.logOf(jobId)).length;
  await person.trpc.job.regenerate.mutate({ jobId });
  await vi.waitFor(async () => expect(await person.statusOf(jobId)).toBe("BLOCKED"), WAIT);
  await person.trpc.job.approve.mutate({ jobId });
  const log = (await person.logOf(jobId)).slice(before - 1);
  expect(log.length).toBeGreaterThan(6);
  await vi.waitFor(() => {
    expect(told(guide, "Job update: ")).toBe(log.length);
    expect(told(guide, "Job completed: ")).toBe(1);
  }, WAIT);
  for (const { at } of log) expect(told(guide, at.toISOString())).toBeGreaterThan(0);
  expect(guide.lines[0]).toBe("Connected!");
  expect(guide.stderr()).toBe("");
});

test.each<[what: string, code: string, line: string, claims?: Claims]>([
  ["no token", "UNAUTHENTICATED", NO_TOKEN],
  ["an expired token", "TOKEN_EXPIRED", LINES.WITH_TOKEN, { exp: 1_700_000_000 }],
  ["a token that names no tenant", "UNAUTHENTICATED", LINES.WITH_TOKEN, { tenant: "" }],
])(
  "[P1] the guide's Python program with %s is refused with %s",
  async (_what, code, line, claims) => {
    const token = await tokenFor("ann", claims);
    const guide = run(line, { before: `token = "${token}"\n${LINES.ON_REFUSAL}` });
    await vi.waitFor(() => expect(guide.stderr()).toContain("ConnectionError"), WAIT);
    await vi.waitFor(() => expect(told(guide, "Refused: ")).toBe(1), WAIT);
    expect(told(guide, `'code': '${code}'`)).toBe(1);
    expect(told(guide, "Connected!")).toBe(0);
  },
);

test("[P4] the guide's Python program is refused another user's job as an unknown one", async () => {
  const { jobId } = await createUndecided("bob");
  const before = `token = "${await tokenFor("ann")}"
sio.on("subscription:error", lambda data: print(f"Not subscribed: {data}"))`;
  const unknown = "00000000-0000-7000-8000-000000000000";
  const refusals: string[] = [];
  for (const id of [jobId, unknown]) {
    const guide = run(LINES.WITH_TOKEN, { jobId: id, before });
    await vi.waitFor(() => expect(told(guide, "Not subscribed: "), guide.stderr()).toBe(1), WAIT);
    refusals.push(guide.lines.join("\n").replaceAll(id, unknown));
    expect(told(guide, "'code': 'NOT_FOUND'")).toBe(1);
    await guide.end();
  }
  expect(refusals[0]).toBe(refusals[1]);
});

test("[P5] [S4] with a function for its tokens the guide's Python program outlives them, and misses no end meanwhile", async () => {
  const { person, jobId } = await createUndecided("carl");
  // The backend of the program. At the second time the program is not connected, and its job ends. python-socketio gives an
  // attempt up after a second and asks again with the next one, so more than two requests are no fault.
  let asked = 0;
  let approval: Promise<unknown> | undefined;
  const backend = createServer((_req, res) => {
    asked += 1;
    const isFirst = asked === 1;
    if (!isFirst) approval ??= person.trpc.job.approve.mutate({ jobId });
    const exp = Math.floor(Date.now() / 1000) + (isFirst ? 3 : 600);
    void Promise.resolve(approval).then(async () => res.end(await tokenFor("carl", { exp })));
  });
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  onTestFinished(() => void backend.close());
  const address = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`;
  const before = `import urllib.request
def new_token():
    return urllib.request.urlopen("${address}").read().decode()
`;
  const guide = run(LINES.WITH_FUNCTION, { jobId, before });
  await vi.waitFor(() => expect(told(guide, "Job update: "), guide.stderr()).toBe(1), WAIT);
  await vi.waitFor(() => {
    expect(told(guide, "Job completed: ")).toBeGreaterThanOrEqual(1);
    expect(told(guide, "Job update: ")).toBeGreaterThanOrEqual(2);
  }, WAIT);
  expect(told(guide, "Connected!")).toBeGreaterThanOrEqual(2);
  expect(guide.stderr()).toBe("");
});
