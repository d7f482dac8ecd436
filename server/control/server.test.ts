import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ApiKeys } from "#server/auth/api-keys.ts";
import type { Management } from "#server/auth/management.ts";
import type { Pauses } from "#server/auth/pauses.ts";
import type { Revocations } from "#server/auth/revocations.ts";
import type { Workers } from "#server/auth/workers.ts";
import { AppError } from "#shared/errors.ts";
import type { Pause } from "#shared/pause.ts";
import { type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";
import { newSchedule, newWorker } from "#test/engine/builders.ts";
import { killOnExit } from "#test/kill-on-exit.ts";
import type { Audit } from "#server/auth/audit.ts";
import { type AuditItem, COMMAND_ACTOR } from "#shared/audit.ts";
import { createControlCalls, type MakeBackup } from "./calls.ts";
import { createRemoteManagement, requestBackup } from "./client.ts";
import { openControlServer } from "./server.ts";

const RECORD = {
  id: "0198f1a2-0000-7000-8000-000000000001",
  tenant: "acme",
  user: "reports",
  scopes: ["jobs:read"],
  label: "",
  createdAt: new Date("2026-01-01"),
  expiresAt: new Date("2026-02-01"),
  lastUsedAt: null,
  revokedAt: null,
};
const REQUEST = {
  tenant: "acme",
  user: "reports",
  scopes: ["jobs:read"],
  label: "Nightly",
  expiresAt: new Date("2026-02-01"),
};

const SCHEDULE: ScheduleSummary = {
  ...scheduleSummaryOf(newSchedule()),
  lastAt: new Date("2026-01-01"),
  lastError: {
    code: "NOT_FOUND",
    message: "Gone",
    dueAt: new Date("2026-01-02"),
    at: new Date("2026-01-02"),
  },
};

const logged: unknown[][] = [];
const log = {
  info: (...line: unknown[]) => void logged.push(line),
  error: (...line: unknown[]) => void logged.push(line),
};

/** The store behind it has tests of its own; these are about what passes the socket. */
const apiKeys = {
  create: vi.fn<ApiKeys["create"]>(async () => ({ key: "jw_secret", record: RECORD })),
  list: vi.fn<ApiKeys["list"]>(async () => ({ items: [RECORD], nextCursor: "7" })),
  revoke: vi.fn<ApiKeys["revoke"]>(async () => ({ ...RECORD, revokedAt: new Date("2026-01-02") })),
};

const users = { list: vi.fn<Management["users"]["list"]>() };
const jobs = { assign: vi.fn<Management["jobs"]["assign"]>() };
const revocations = { revoke: vi.fn<Revocations["revoke"]>() };
const ENTRY: AuditItem = {
  id: "7",
  at: new Date("2026-01-01"),
  action: "key.create",
  target: RECORD.id,
  actor: COMMAND_ACTOR,
};
type Managed = Management["schedules"];
const schedules = {
  list: vi.fn<Managed["list"]>(async () => ({ items: [SCHEDULE], nextCursor: "7" })),
  pause: vi.fn<Managed["pause"]>(async () => SCHEDULE),
  resume: vi.fn<Managed["resume"]>(async () => SCHEDULE),
  trigger: vi.fn<Managed["trigger"]>(async () => SCHEDULE),
  delete: vi.fn<Managed["delete"]>(async () => SCHEDULE),
};
const WORKER = { ...newWorker({ running: 1 }), state: "draining" as const };
WORKER.jobs.push({ id: "j", kind: "k", tenant: "acme", attempt: 1, since: new Date(5) });
const workers = {
  list: vi.fn<Workers["list"]>(async () => ({ items: [WORKER], nextCursor: "w" })),
  drain: vi.fn<Workers["drain"]>(async () => WORKER),
  resume: vi.fn<Workers["resume"]>(async () => WORKER),
};
const PAUSE: Pause = { at: new Date(5), note: "Why", by: { user: "", via: "command" } };
const pauses = {
  list: vi.fn<Pauses["list"]>(async () => [PAUSE, { ...PAUSE, tenant: "acme" }]),
  set: vi.fn<Pauses["set"]>(async () => PAUSE),
  remove: vi.fn<Pauses["remove"]>(async () => PAUSE),
};
const audit = { list: vi.fn<Audit["list"]>(async () => ({ items: [ENTRY], nextCursor: null })) };

const backup = vi.fn<MakeBackup>(async () => ({ bytes: 4096 }));

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "jobwire-control-"));
  path = join(dir, "control.sock");
  logged.length = 0;
  vi.clearAllMocks();
});
afterEach(() => rmSync(dir, { recursive: true }));

async function open(options: { timeoutMs?: number } = {}) {
  const control = await openControlServer({
    path,
    calls: createControlCalls(
      { apiKeys, audit, jobs, pauses, revocations, schedules, users, workers },
      { log, backup },
    ),
    log,
    ...options,
  });
  onTestFinished(() => control.close());
  return control;
}

async function connected(): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Sends bytes, and resolves to all that comes back until the connection ends. */
async function exchange(bytes: string): Promise<string> {
  const socket = await connected();
  socket.on("error", () => undefined);
  let answer = "";
  socket.setEncoding("utf8").on("data", (more: string) => void (answer += more));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.write(bytes);
  await ended;
  return answer;
}

const post = (to: string, body: string, more = "") =>
  exchange(
    `POST ${to} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

/** The next command's answer, which is `SERVED` where all is as before. */
const nextCommand = () => createRemoteManagement(path).apiKeys.list({ limit: 1 });
const SERVED = { items: [RECORD], nextCursor: "7" };

describe("calls", () => {
  test("pass the socket with their times, and the log names the key and not its text", async () => {
    await open();
    const keys = createRemoteManagement(path).apiKeys;
    expect(await keys.create(REQUEST)).toEqual({ key: "jw_secret", record: RECORD });
    expect(apiKeys.create).toHaveBeenCalledWith(REQUEST);
    expect(await keys.list({ tenant: "acme", cursor: "9", limit: 2 })).toEqual({
      items: [RECORD],
      nextCursor: "7",
    });
    expect(apiKeys.list).toHaveBeenCalledWith({ tenant: "acme", cursor: "9", limit: 2 });
    expect((await keys.revoke(RECORD.id)).revokedAt).toEqual(new Date("2026-01-02"));
    expect(apiKeys.revoke).toHaveBeenCalledWith(RECORD.id);
    const { id: apiKey, tenant, user, scopes } = RECORD;
    expect(logged).toEqual([
      [{ apiKey, tenant, user, scopes }, "An API key was created"],
      [{ apiKey, tenant, user }, "An API key was revoked"],
    ]);
  });

  test("that revoke have what they ended, with its times", async () => {
    await open();
    const { revoke } = createRemoteManagement(path).revocations;
    const user = { tenant: "acme", user: "ann", before: new Date(), apiKeys: 2, signIns: 1 };
    revocations.revoke.mockResolvedValueOnce(user);
    expect(await revoke("acme", { user: "ann" }, COMMAND_ACTOR)).toEqual(user);
    expect(revocations.revoke).toHaveBeenLastCalledWith("acme", { user: "ann" }, COMMAND_ACTOR);
    const token = { tenant: "acme", tokenId: "t", keptUntil: new Date() };
    revocations.revoke.mockResolvedValueOnce(token);
    const what = { tokenId: "t", expiresAt: new Date() };
    expect(await revoke("acme", what, COMMAND_ACTOR)).toEqual(token);
    expect(revocations.revoke).toHaveBeenLastCalledWith("acme", what, COMMAND_ACTOR);
  });

  test("that list users pass where the page begins, and times", async () => {
    await open();
    const user = { tenant: "acme", user: "ann", jobs: 1, apiKeys: 2, signIns: 3 };
    const page = { items: [{ ...user, revokedBefore: new Date() }], next: null };
    users.list.mockResolvedValueOnce(page);
    const query = { tenant: "acme", after: { tenant: "acme", user: "a" } };
    expect(await createRemoteManagement(path).users.list(query)).toEqual(page);
    expect(users.list).toHaveBeenLastCalledWith(query);
  });

  test("that give jobs to a user say how many, and the log has it", async () => {
    await open();
    const schedules = { moved: 2, left: [{ id: "s", key: "nightly", why: "taken" as const }] };
    const assigned = { moved: 7, unsettled: { count: 0, some: [] }, schedules };
    jobs.assign.mockResolvedValueOnce(assigned);
    const to = { tenant: "acme", user: "ann" };
    expect(await createRemoteManagement(path).jobs.assign(to)).toEqual(assigned);
    expect(jobs.assign).toHaveBeenLastCalledWith(to);
    expect(logged.at(-1)).toEqual([{ ...to, moved: 7, schedules: 2 }, expect.any(String)]);
  });

  test("[P17] read an audit list, with its times", async () => {
    await open();
    const query = { tenant: "acme", user: "ann", action: "job.cancel", limit: 2 } as const;
    expect(await createRemoteManagement(path).audit.list(query)).toEqual({
      items: [ENTRY],
      nextCursor: null,
    });
    expect(audit.list).toHaveBeenCalledWith(query);
  });

  test("that fail have the code and the message of the error", async () => {
    await open();
    apiKeys.revoke.mockRejectedValueOnce(new AppError("NOT_FOUND", "There is no such key."));
    await expect(createRemoteManagement(path).apiKeys.revoke(RECORD.id)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "There is no such key.",
    });
    expect(logged).toEqual([]);
  });

  test("a backup may take longer than any other call, and its file is named in the log", async () => {
    await open({ timeoutMs: 20 });
    backup.mockImplementationOnce(async () => {
      // As long as a connection may stand still before a call, and longer than an answer may.
      const idle = await connected();
      await once(idle.resume(), "close");
      return { bytes: 8192 };
    });
    expect(await requestBackup(path, "/backups/one.db")).toEqual({ bytes: 8192 });
    expect(backup).toHaveBeenCalledWith("/backups/one.db", expect.any(AbortSignal));
    expect(logged).toEqual([[{ path: "/backups/one.db", bytes: 8192 }, "A backup was made"]]);
  });

  test("a backup ends with the command that wants it", async () => {
    await open();
    const ended = new Promise<string>((resolve) => {
      backup.mockImplementationOnce(async (_path, signal) => {
        await once(signal, "abort");
        resolve((signal.reason as Error).message);
        throw signal.reason;
      });
    });
    const socket = await connected();
    const body = JSON.stringify({ path: "/backups/one.db" });
    socket.write(
      `POST /v1/backup.make HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitFor(() => expect(backup).toHaveBeenCalled());
    socket.destroy();
    expect(await ended).toBe("The command has ended.");
    expect(await nextCommand()).toEqual(SERVED);
  });

  test.each(["one.db", "", "/".padEnd(5000, "x")])("no backup is written to %j", async (file) => {
    await open();
    await expect(requestBackup(path, file)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    expect(backup).not.toHaveBeenCalled();
  });

  test("that fail by a fault are logged, and the command learns no more than that", async () => {
    await open();
    apiKeys.list.mockRejectedValueOnce(new TypeError("x of undefined"));
    await expect(createRemoteManagement(path).apiKeys.list({ limit: 1 })).rejects.toMatchObject({
      code: "INTERNAL",
      message: "The server failed. Its log says why.",
    });
    expect(logged).toEqual([
      [
        { err: expect.objectContaining({ message: "x of undefined" }) as Error },
        "A command failed",
      ],
    ]);
  });
});

test("calls about workers and pauses come back with their times, and have the command as their actor", async () => {
  await open();
  const remote = createRemoteManagement(path);
  const query = { cursor: "v", limit: 2 };
  expect(await remote.workers.list(query)).toEqual({ items: [WORKER], nextCursor: "w" });
  expect(workers.list).toHaveBeenCalledWith(query);
  expect(await remote.workers.drain("w", COMMAND_ACTOR)).toEqual(WORKER);
  expect(await remote.workers.resume("w", COMMAND_ACTOR)).toEqual(WORKER);
  for (const call of [workers.drain, workers.resume]) {
    expect(call).toHaveBeenCalledWith("w", COMMAND_ACTOR);
  }
  expect(await remote.pauses.list()).toEqual([PAUSE, { ...PAUSE, tenant: "acme" }]);
  const scope = { tenant: "acme", note: "Why" };
  expect(await remote.pauses.set(scope, COMMAND_ACTOR)).toEqual(PAUSE);
  expect(pauses.set).toHaveBeenCalledWith(scope, COMMAND_ACTOR);
  pauses.remove.mockRejectedValueOnce(new AppError("NOT_FOUND", "None."));
  await expect(remote.pauses.remove({}, COMMAND_ACTOR)).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  expect(pauses.remove).toHaveBeenCalledWith({}, COMMAND_ACTOR);
});

test("calls about schedules come back with their times", async () => {
  await open();
  const { schedules: remote } = createRemoteManagement(path);
  const query = { tenant: "acme", cursor: "9", limit: 3 };
  expect(await remote.list(query)).toEqual({ items: [SCHEDULE], nextCursor: "7" });
  expect(schedules.list).toHaveBeenCalledWith(query);
  for (const verb of ["pause", "resume", "trigger", "delete"] as const) {
    expect(await remote[verb](SCHEDULE.id)).toEqual(SCHEDULE);
    expect(schedules[verb]).toHaveBeenCalledWith(SCHEDULE.id);
  }
  schedules.pause.mockRejectedValueOnce(new AppError("NOT_FOUND", "None."));
  await expect(remote.pause(SCHEDULE.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

describe("[P9] the socket", () => {
  test("can be opened by its user alone, whatever the mask of the process", async () => {
    const mask = process.umask(0);
    onTestFinished(() => void process.umask(mask));
    await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
  });

  test("of a process that was killed is replaced", async () => {
    await killedOwnerOf(path);
    expect(statSync(path).isSocket()).toBe(true);
    await open();
    expect(await nextCommand()).toEqual(SERVED);
  });

  test("of a living process is not taken", async () => {
    await open();
    await expect(open()).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining("is the control socket of another process") as string,
    });
    expect(await nextCommand()).toEqual(SERVED);
  });

  test("of a living process that accepts nothing is not taken", async () => {
    const owner = await ownerOf(path, "SIGSTOP");
    await expect(open()).rejects.toThrow("is the control socket of another process");
    expect(statSync(path).isSocket()).toBe(true);
    owner.kill("SIGKILL");
  });

  test("never replaces a file", async () => {
    writeFileSync(path, "mine");
    await expect(open()).rejects.toThrow(`${path} is in the way: it is no socket. Move it away.`);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("is gone once the server is closed, with its connections", async () => {
    const control = await open();
    const waiting = await connected();
    const ended = once(waiting, "close");
    waiting.resume();
    await control.close();
    await ended;
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    await expect(createRemoteManagement(path).apiKeys.list({ limit: 1 })).rejects.toMatchObject({
      name: "NoServer",
    });
  });
});

const refusal = (message: string) => `"error":{"code":"BAD_REQUEST","message":"${message}`;

describe("[P9] [H4] hostile input", () => {
  test.each([
    ["another version", () => post("/v2/keys.list", "{}"), "The server does not know this command"],
    ["another call", () => post("/v1/keys.steal", "{}"), "The server does not know this command"],
    ["a name of all objects", () => post("/v1/constructor", "{}"), "The server does not know"],
    ["GET", () => exchange("GET /v1/keys.list HTTP/1.1\r\nHost: x\r\n\r\n"), "The server does not"],
    ["no JSON", () => post("/v1/keys.list", "{"), "The body is no JSON."],
    ["no input of the call", () => post("/v1/keys.list", '{"limit":1e9}'), "limit: Too big"],
    [
      "an unknown scope",
      () => post("/v1/keys.create", JSON.stringify({ ...REQUEST, scopes: ["*"] })),
      "scopes.0: ",
    ],
    [
      "no scope",
      () => post("/v1/keys.create", JSON.stringify({ ...REQUEST, scopes: [] })),
      "scopes: needs one",
    ],
    [
      "a label of two lines",
      () => post("/v1/keys.create", JSON.stringify({ ...REQUEST, label: "a\nb" })),
      "label: must be one line",
    ],
    ["an id that is none", () => post("/v1/keys.revoke", '{"id":"../x"}'), "id: Invalid UUID"],
    [
      "a body beyond the limit",
      () => post("/v1/keys.list", " ".repeat(150_000)),
      "The body has more than 65536 bytes",
    ],
  ])("%s is refused with a reason, and changes nothing", async (_what, send, message) => {
    await open();
    const answer = await send();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(refusal(message));
    for (const call of Object.values(apiKeys)) expect(call).not.toHaveBeenCalled();
    expect(await nextCommand()).toEqual(SERVED);
  });

  test.each([
    ["bytes of no protocol", "\0\x16\x03garbage\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["headers without end", `POST / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`, /^HTTP\/1\.1 431 /],
    [
      "two lengths",
      "POST /v1/keys.list HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
      /^HTTP\/1\.1 400 /,
    ],
  ])("%s end the connection", async (_what, bytes, expected) => {
    await open();
    expect(await exchange(bytes)).toMatch(expected);
    expect(await nextCommand()).toEqual(SERVED);
  });

  test("a body without end is refused at the limit", async () => {
    await open();
    const socket = await connected();
    socket.on("error", () => undefined);
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write("POST /v1/keys.list HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `2710\r\n${" ".repeat(10_000)}\r\n`;
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", more);
    more();
    await ended;
    expect(await nextCommand()).toEqual(SERVED);
  });

  test.each([
    ["nothing", ""],
    ["half a head", "POST /v1/keys.list HTTP/1.1\r\nHos"],
    ["half a body", "POST /v1/keys.list HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"],
  ])("a connection that sends %s is closed after its time", async (_what, bytes) => {
    await open({ timeoutMs: 100 });
    await exchange(bytes);
    expect(await nextCommand()).toEqual(SERVED);
  });

  test("a connection that sends a byte now and then is closed after its time", async () => {
    await open({ timeoutMs: 100 });
    const socket = await connected();
    socket.on("error", () => undefined);
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write("POST /v1/keys.list HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    const drip = setInterval(() => socket.write(" "), 5);
    await ended;
    clearInterval(drip);
    expect(await nextCommand()).toEqual(SERVED);
  });

  test("connections beyond the limit are closed, and the others keep none from being served later", async () => {
    await open();
    const held = await Promise.all(Array.from({ length: 16 }, connected));
    expect(await exchange("")).toBe("");
    for (const socket of held) socket.destroy();
    await vi.waitFor(async () => expect(await nextCommand()).toEqual(SERVED));
  });
});

const LISTEN = `require("node:net").createServer().listen(process.argv[1], () => console.log("listens"))`;

/** Another process that listens on the path, and then received the signal. */
async function ownerOf(socketPath: string, signal: NodeJS.Signals): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", LISTEN, socketPath], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  killOnExit(child);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  child.kill(signal);
  return child;
}

async function killedOwnerOf(socketPath: string): Promise<void> {
  const child = await ownerOf(socketPath, "SIGKILL");
  if (child.signalCode === null) await once(child, "exit");
}
