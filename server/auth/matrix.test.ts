/** Every procedure and event, asked by every kind of caller on a server that takes tokens. */
import { once } from "node:events";
import {
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";
import { WebSocket } from "ws";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { openEngine } from "#server/engine/index.ts";
import { waits } from "#test/jobs/waits.ts";
import { ROUTES_OF_API } from "#server/transports/api/routes.ts";
import type { OpenApi } from "#server/transports/api/document.ts";
import type { Route } from "#server/transports/api/route.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import type { ProcedurePath } from "#shared/api.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { auditOf } from "#test/engine/audit.ts";
import { type Described, describedBy } from "#test/transports/described.ts";
import { newApiKey } from "./api-key.ts";
import { createApiKeys } from "./api-keys.ts";
import { createRevocations } from "./revocations.ts";
import { EVENTS, PROCEDURES, WORK, type WorkProcedure } from "./permissions.ts";

const SECRET = "a secret of the tests that has 32 bytes";
const AUDIENCE = "jobwire";
const ABSENT = "0198f1a2-0000-7000-8000-000000000000";

/** The answers that a caller gets, by group of procedures. */
interface Answers {
  anything: string;
  readJob: string;
  readLines: string;
  readBatch: string;
  readMine: string;
  create: string;
  changeJob: string;
  changeBatch: string;
  review: string;
  administer: string;
  operate: string;
  seePauses: string;
  share: string;
  ticket: string;
  /** To ask for work, and to call about a job of the tenant. */
  askForWork: string;
  work: string;
}
const OK = "ok";
const all = (code: string): Answers => ({
  anything: code,
  readJob: code,
  readLines: code,
  readBatch: code,
  readMine: code,
  create: code,
  changeJob: code,
  changeBatch: code,
  review: code,
  administer: code,
  operate: code,
  seePauses: code,
  share: code,
  ticket: code,
  askForWork: code,
  work: code,
});
/** All that concerns jobs. */
const allJobs = (code: string): Answers => ({
  ...all(code),
  administer: "FORBIDDEN",
  operate: "FORBIDDEN",
  askForWork: "FORBIDDEN",
  work: "FORBIDDEN",
});
const noScope: Answers = { ...all("FORBIDDEN"), anything: OK };
const readOnly: Answers = {
  ...noScope,
  readJob: OK,
  readLines: OK,
  readBatch: OK,
  readMine: OK,
  seePauses: OK,
  share: OK,
  ticket: OK,
};
const stranger: Answers = {
  ...allJobs("NOT_FOUND"),
  anything: OK,
  readMine: OK,
  seePauses: OK,
  create: OK,
  ticket: OK,
};

const GROUPS: Record<ProcedurePath, keyof Answers> = {
  "job.create": "create",
  "job.get": "readJob",
  "job.list": "readMine",
  "job.events": "readJob",
  "job.waiting": "readJob",
  "job.logs": "readLines",
  "job.cancel": "changeJob",
  "job.retry": "changeJob",
  "job.approve": "review",
  "job.reject": "review",
  "job.regenerate": "review",
  "job.onUpdate": "readJob",
  "job.onOutput": "readJob",
  "job.onLog": "readLines",
  "job.onPresence": "readJob",
  "job.typing": "review",
  "batch.onPresence": "readBatch",
  "presence.onUpdate": "readMine",
  "batch.create": "create",
  "batch.get": "readBatch",
  "batch.list": "readMine",
  "batch.cancel": "changeBatch",
  "batch.onUpdate": "readBatch",
  "feed.onUpdate": "readMine",
  "schedule.upsert": "create",
  "schedule.list": "readMine",
  "schedule.get": "readLines",
  "schedule.pause": "changeJob",
  "schedule.resume": "changeJob",
  "schedule.trigger": "changeJob",
  "schedule.delete": "changeJob",
  "worker.list": "operate",
  "worker.drain": "operate",
  "worker.resume": "operate",
  "pause.set": "operate",
  "pause.list": "seePauses",
  "pause.remove": "operate",
  "kinds.*.create": "create",
  "kinds.*.createMany": "create",
  "kinds.*.get": "readJob",
  "kinds.*.list": "readMine",
  "kinds.*.onUpdate": "readJob",
  "kinds.*.onOutput": "readJob",
  "audit.list": "administer",
  "auth.me": "anything",
  "auth.refresh": "anything",
  "auth.revoke": "administer",
  "auth.ticket": "ticket",
  "job.share": "share",
  "job.links": "share",
  "job.unshare": "share",
  "batch.share": "share",
  "batch.links": "share",
  "batch.unshare": "share",
  "kind.list": "anything",
  "system.info": "anything",
  "system.onState": "anything",
};
/** The API alone serves these. */
const WORK_GROUPS: Record<WorkProcedure, keyof Answers> = {
  "work.claim": "askForWork",
  "work.progress": "work",
  "work.draft": "work",
  "work.renew": "work",
  "work.deliver": "work",
  "work.block": "work",
  "work.fail": "work",
  "work.release": "work",
};
const GROUPS_OF_API = { ...GROUPS, ...WORK_GROUPS };
const SUBSCRIPTIONS = new Set([
  "job.onUpdate",
  "job.onOutput",
  "job.onLog",
  "job.onPresence",
  "batch.onUpdate",
  "batch.onPresence",
  "feed.onUpdate",
  "presence.onUpdate",
  "kinds.waits.onUpdate",
  "kinds.waits.onOutput",
  "system.onState",
]);
const QUERIES = new Set([
  "job.get",
  "job.list",
  "job.events",
  "job.waiting",
  "job.logs",
  "kinds.waits.get",
  "kinds.waits.list",
  "job.links",
  "batch.links",
  "batch.get",
  "batch.list",
  "schedule.list",
  "schedule.get",
  "audit.list",
  "auth.me",
  "pause.list",
  "worker.list",
  "kind.list",
  "system.info",
]);

let data: TestData;
let app: App;
let keys: Record<KeyName, string>;
let ids: { jobId: string; batchId: string };
/** That of the newest schedule, which a permitted caller deletes. */
let scheduleId: string;
/** The worker in the server. */
let workerId: string;
/** A job of a kind without `run`, which a worker holds. */
let held: { jobId: string; token: string };
let described: Described;
/** The operations of the API that some caller could use. */
const succeeded = new Set<string>();
/** Stream tokens and share links, which their owner made. */
let shared: Record<"job" | "otherJob" | "batch" | "link" | "off", string>;

interface Claims {
  sub?: string;
  tenant?: string;
  scope?: string;
  aud?: string;
  exp?: number;
  iat?: number;
  jti?: string;
}

const now = () => Math.floor(Date.now() / 1000);
const START = now();
const claimsOf = (claims: Claims) => ({
  sub: "ann",
  tenant: "acme",
  scope: PERSON_SCOPES.join(" "),
  aud: AUDIENCE,
  exp: now() + 600,
  ...claims,
});
const signed = (claims: Claims = {}, secret = SECRET) =>
  new SignJWT(claimsOf(claims))
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));

const OPERATOR = "with an API key that has `operator` alone";
const CALLERS: [who: string, token: () => Promise<string | undefined>, answers: Answers][] = [
  ["without a token", async () => undefined, all("UNAUTHENTICATED")],
  ["with an expired token", () => signed({ exp: now() - 60 }), all("TOKEN_EXPIRED")],
  [
    "with a token of another secret",
    () => signed({}, "another secret that has 32 bytes, too"),
    all("UNAUTHENTICATED"),
  ],
  [
    "with a token without a signature",
    async () => new UnsecuredJWT(claimsOf({})).encode(),
    all("UNAUTHENTICATED"),
  ],
  [
    "with a token whose secret is a public key",
    async () => signed({}, await exportSPKI((await generateKeyPair("RS256")).publicKey)),
    all("UNAUTHENTICATED"),
  ],
  ["with a token for another audience", () => signed({ aud: "shop" }), all("UNAUTHENTICATED")],
  ["of another tenant", () => signed({ tenant: "bakery" }), stranger],
  ["of the same tenant", () => signed({ sub: "bob" }), stranger],
  ["of the same tenant, without scopes", () => signed({ sub: "bob", scope: "" }), noScope],
  [
    "who watches this job alone",
    () => signed({ sub: "eve", scope: `job:${ids.jobId}:read` }),
    { ...noScope, readJob: OK, ticket: OK },
  ],
  [
    "who watches this batch alone",
    () => signed({ sub: "eve", scope: `batch:${ids.batchId}:read` }),
    { ...noScope, readBatch: OK },
  ],
  [
    "who watches another job alone",
    () => signed({ sub: "eve", scope: `job:${ABSENT}:read` }),
    { ...noScope, readJob: "NOT_FOUND", ticket: OK },
  ],
  [
    "who watches this job alone, at another tenant",
    () => signed({ sub: "eve", tenant: "bakery", scope: `job:${ids.jobId}:read` }),
    { ...noScope, readJob: "NOT_FOUND", ticket: OK },
  ],
  [
    "with `admin` alone",
    () => signed({ scope: "admin" }),
    { ...noScope, administer: OK, seePauses: OK },
  ],
  ["with `operator`, which no token grants", () => signed({ scope: "operator" }), noScope],
  ["with `*`, which no token grants", () => signed({ scope: "*" }), noScope],
  ["who owns them and may only read", () => signed({ scope: "jobs:read" }), readOnly],
  [
    "of the same tenant, with `tenant`",
    () => signed({ sub: "bob", scope: `${PERSON_SCOPES.join(" ")} tenant` }),
    allJobs(OK),
  ],
  ["who owns them", () => signed(), allJobs(OK)],
  ["with a revoked token", () => signed({ jti: "revoked" }), all("UNAUTHENTICATED")],
  [
    "who was revoked since the token was issued",
    () => signed({ sub: "leaver", iat: START - 60 }),
    all("UNAUTHENTICATED"),
  ],
  [
    "who was revoked, with a token that does not say when it was issued",
    () => signed({ sub: "leaver" }),
    all("UNAUTHENTICATED"),
  ],
  [
    "who was revoked before the token was issued",
    () => signed({ sub: "leaver", iat: now() }),
    stranger,
  ],
  [
    "with an API key that was revoked with its user",
    async () => keys.leaver,
    all("UNAUTHENTICATED"),
  ],
  ["with an API key of their owner that may only read", async () => keys.reading, readOnly],
  ["with an API key that may do all that their owner may", async () => keys.whole, allJobs(OK)],
  ["with an API key of another tenant", async () => keys.foreign, stranger],
  ["with `work` alone", () => signed({ scope: "work" }), { ...noScope, askForWork: OK, work: OK }],
  [
    "with an API key that has `work` alone",
    async () => keys.work,
    { ...noScope, askForWork: OK, work: OK },
  ],
  [
    "with `work` alone, of another tenant",
    () => signed({ scope: "work", tenant: "bakery" }),
    { ...noScope, askForWork: OK, work: "NOT_FOUND" },
  ],
  [
    "with an API key that has `work` and `operator`, of another tenant",
    async () => keys.anyWork,
    { ...noScope, askForWork: OK, work: OK, operate: OK, seePauses: OK },
  ],
  [OPERATOR, async () => keys.operator, { ...noScope, operate: OK, seePauses: OK }],
  ["with a revoked API key", async () => keys.revoked, all("UNAUTHENTICATED")],
  ["with an expired API key", async () => keys.expired, all("UNAUTHENTICATED")],
  ["with a stream token of this job", async () => shared.job, { ...noScope, readJob: OK }],
  [
    "with a stream token of another job",
    async () => shared.otherJob,
    { ...noScope, readJob: "NOT_FOUND" },
  ],
  ["with a stream token of this batch", async () => shared.batch, { ...noScope, readBatch: OK }],
  ["with a share link to this job", async () => shared.link, { ...noScope, readJob: OK }],
  ["with a share link that was switched off", async () => shared.off, all("UNAUTHENTICATED")],
  [
    "with a stream token of another secret",
    async () => forgedStreamToken(),
    all("UNAUTHENTICATED"),
  ],
  ["with an API key that nothing is stored of", async () => newApiKey(), all("UNAUTHENTICATED")],
];

/** It says what the server's own say, and is signed with the secret of other tokens. */
async function forgedStreamToken(): Promise<string> {
  const { kid = "" } = decodeProtectedHeader(shared.job);
  return new SignJWT(decodeJwt(shared.job))
    .setProtectedHeader({ alg: "HS256", typ: "jobwire-stream+jwt", kid })
    .sign(new TextEncoder().encode(SECRET));
}

type KeyName =
  | "work"
  | "anyWork"
  | "reading"
  | "whole"
  | "foreign"
  | "operator"
  | "revoked"
  | "expired"
  | "leaver";

/** Stored before the server opens the data. */
async function storeKeys(): Promise<Record<KeyName, string>> {
  const engine = await openEngine(data.config);
  const yesterday = new Date(Date.now() - 86_400_000);
  const apiKeys = createApiKeys({
    store: engine.apiKeys,
    audit: auditOf(engine),
    now: () => yesterday,
  });
  const make = (scopes: string[], tenant = "acme", expiresAt: Date | null = null) =>
    apiKeys.create({ tenant, user: "ann", scopes, label: "", expiresAt });
  const person = [...PERSON_SCOPES];
  const revoked = await make(person);
  await apiKeys.revoke(revoked.record.id);
  const leaver = await apiKeys.create({
    tenant: "acme",
    user: "leaver",
    scopes: person,
    label: "",
    expiresAt: null,
  });
  const revocations = createRevocations({
    store: engine.revocations,
    audit: auditOf(engine),
    now: () => yesterday,
  });
  await revocations.revoke("acme", { user: "leaver" }, COMMAND_ACTOR);
  const before = new Date((START - 30) * 1000);
  await engine.revocations.revokeUser({ tenant: "acme", user: "leaver", before }, before);
  await revocations.revoke("acme", { tokenId: "revoked", expiresAt: null }, COMMAND_ACTOR);
  const made = {
    leaver: leaver.key,
    reading: (await make(["jobs:read"])).key,
    whole: (await make(person)).key,
    foreign: (await make(person, "bakery")).key,
    operator: (await make(["operator"])).key,
    work: (await make(["work"])).key,
    anyWork: (await make(["work", "operator"], "bakery")).key,
    revoked: revoked.key,
    expired: (await make(person, "acme", new Date(yesterday.getTime() + 1000))).key,
  };
  await engine.close();
  return made;
}

beforeAll(async () => {
  data = await newTestData();
  keys = await storeKeys();
  const env = {
    // All of its refusals come from one address, and all of its calls from a few users.
    LIMIT_ADDRESS_FAILED_SIGN_INS: "0",
    LIMIT_USER_CALLS: "0",
    PORT: "0",
    LOG_LEVEL: "silent",
    SHUTDOWN_GRACE_MS: "0",
    AUTH_JWT_SECRET: SECRET,
    AUTH_AUDIENCE: AUDIENCE,
  };
  app = await createApp(loadConfig({ ...data.env, ...env }), { kinds: [waits, elsewhere] });
  const token = await signed();
  const ask = (path: string, input: object) => overHttp({ path, input, token, isRefused: false });
  const workers = await overHttp({
    path: "worker.list",
    input: {},
    token: keys.operator,
    isRefused: false,
  });
  workerId = /"items":\[\{"id":"([^"]+)"/.exec(workers)?.[1] ?? "";
  if (workerId === "") throw new Error(`The server has no worker: ${workers}`);
  const authorization = `Bearer ${token}`;
  const document = await fetch(`${app.url}/api/v1/openapi.json`, { headers: { authorization } });
  described = describedBy((await document.json()) as OpenApi);
  held = await takeWork();
  const batch = await ask("batch.create", { jobs: [{ kind: "waits", input: {} }] });
  const batchId = idIn(batch);
  const job = await ask("job.create", { kind: "waits", input: {} });
  ids = { batchId, jobId: idIn(job) };
  const share = async (path: string, input: object) => answerIn(await ask(path, input));
  const { jobId } = ids;
  const other = idIn(await ask("job.create", { kind: "waits", input: {} }));
  const off = await share("job.share", { jobId: other, link: true });
  await ask("job.unshare", { jobId: other, linkId: off.linkId });
  shared = {
    job: (await share("job.share", { jobId })).token,
    otherJob: (await share("job.share", { jobId: other })).token,
    batch: (await share("batch.share", { batchId })).token,
    link: (await share("job.share", { jobId, link: true })).token,
    off: off.token,
  };
});
afterAll(async () => {
  await app.close();
  await data.remove();
});

/** Jobs of a kind that no process runs. */
const elsewhere = defineKind({ name: "elsewhere", input: z.object({}), output: z.unknown() });

async function takeWork(): Promise<typeof held> {
  const input = { kind: "elsewhere", input: {} };
  await overHttp({ path: "job.create", input, token: await signed(), isRefused: false });
  const answer = await fetch(`${app.url}/api/v1/work/claims`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${keys.work}` },
    body: JSON.stringify({ kinds: ["elsewhere"] }),
  });
  const { jobs } = (await answer.json()) as { jobs: [typeof held] };
  return jobs[0];
}

/** The fields that the answers have, of a job or of what was shared. */
interface Answer {
  id: string;
  token: string;
  linkId: string | null;
}
const answerIn = (answer: string) =>
  (JSON.parse(answer) as { result: { data: { json: Answer } } }).result.data.json;
const idIn = (answer: string) => answerIn(answer).id;

/** The codes that say who may do what; any other outcome is that of a permitted request. */
function codeIn(answer: string): string {
  const [, code] =
    /"appCode":"(UNAUTHENTICATED|TOKEN_EXPIRED|FORBIDDEN|NOT_FOUND)"/.exec(answer) ?? [];
  return code ?? OK;
}

function inputOf(path: string): object | undefined {
  if (path === "job.create") return { kind: "waits", input: {} };
  if (path === "batch.create") return { jobs: [{ kind: "waits", input: {} }] };
  if (path === "auth.ticket") return { path: "job.onUpdate", input: { jobId: ids.jobId } };
  // One that there is not, so that the links of other callers stay.
  if (path === "job.unshare") return { jobId: ids.jobId, linkId: ABSENT };
  if (path === "batch.unshare") return { batchId: ids.batchId, linkId: ABSENT };
  if (path === "job.typing") return { jobId: ids.jobId, typing: true };
  if (path === "presence.onUpdate") return {};
  if (path === "auth.revoke") return { tokenId: "another" };
  if (path === "job.list" || path === "batch.list" || path === "feed.onUpdate") return {};
  // All of everything: with the scope of an admin alone, too, it is refused.
  if (path === "pause.set" || path === "pause.remove" || path === "worker.list") return {};
  if (path.startsWith("worker.")) return { workerId };
  if (path === "audit.list" || path === "schedule.list") return {};
  if (path === "schedule.upsert") return scheduleOf("another");
  if (path.startsWith("schedule.")) return { scheduleId };
  if (path === "kinds.waits.create") return { input: {} };
  if (path === "kinds.waits.createMany") return { jobs: [{ input: {} }] };
  if (path === "kinds.waits.list") return {};
  if (path.startsWith("kinds.")) return { jobId: ids.jobId };
  if (path.startsWith("job.")) return { jobId: ids.jobId };
  return path.startsWith("batch.") ? { batchId: ids.batchId } : undefined;
}

const scheduleOf = (key: string) => ({ key, kind: "waits", input: {}, cron: "@yearly" });

interface Asked {
  path: string;
  input: unknown;
  token: string | undefined;
  /** A stream that is to be refused is waited for until it is. */
  isRefused: boolean;
}

async function overHttp({ path, input, token, isRefused }: Asked): Promise<string> {
  const json = JSON.stringify({ json: input });
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const isRead = QUERIES.has(path) || SUBSCRIPTIONS.has(path);
  const query = isRead && input !== undefined ? `?input=${encodeURIComponent(json)}` : "";
  const how = isRead ? { headers } : { method: "POST", headers, body: json };
  const ending = new AbortController();
  const answer = await fetch(`${app.url}/trpc/${path}${query}`, { ...how, signal: ending.signal });
  if (!SUBSCRIPTIONS.has(path)) return answer.text();
  let text = "";
  const chunks = (answer.body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const more = async () => {
    const { value, done } = await chunks.next();
    if (done === true) throw new Error(`The stream ended after: ${text}`);
    text += Buffer.from(value).toString();
  };
  const reading = untilRefused(() => text, more);
  // A permitted stream may also end, and its answer is then complete.
  if (isRefused) await reading;
  else await Promise.race([reading.catch(() => undefined), hasAnswered()]);
  ending.abort();
  return text;
}

async function overSocket({ path, input, token, isRefused }: Asked): Promise<string> {
  const socket = new WebSocket(`${app.url.replace("http", "ws")}/trpc?connectionParams=1`);
  const answers: string[] = [];
  socket.on("message", (answer: Buffer) => answers.push(answer.toString()));
  const closed = once(socket, "close").then(() => {
    throw new Error(`The connection was closed after: ${answers.join("\n")}`);
  });
  closed.catch(() => undefined);
  const more = () => Promise.race([once(socket, "message"), closed]);
  await once(socket, "open");
  socket.send(JSON.stringify({ method: "connectionParams", data: token ? { token } : {} }));
  const isWatch = SUBSCRIPTIONS.has(path);
  const method = isWatch ? "subscription" : QUERIES.has(path) ? "query" : "mutation";
  socket.send(JSON.stringify({ id: 1, method, params: { path, input: { json: input } } }));
  // The connection has its principal, or none, when the first answer arrives.
  socket.send(JSON.stringify({ id: 2, method: "query", params: { path: "system.info" } }));
  while (answers.length < (isWatch ? 1 : 2)) await more();
  const answer = () =>
    answers.filter((each) => (JSON.parse(each) as { id: number }).id === 1).join("\n");
  if (isWatch && isRefused) await untilRefused(answer, more);
  else if (isWatch) await hasAnswered();
  socket.terminate();
  return answer();
}

/** The body of a request to the API, by its operation. */
function bodyOf({ operationId, method }: Route): object | undefined {
  if (operationId === "createJob") return { kind: "waits", input: {} };
  if (operationId === "createBatch") return { jobs: [{ kind: "waits", input: {} }] };
  if (operationId === "upsertSchedule") return scheduleOf("another");
  if (operationId === "createTicket") return { path: `/jobs/${ids.jobId}/events` };
  if (operationId === "claimWork") return { kinds: ["elsewhere"], waitMs: 0 };
  if (operationId.endsWith("Work")) {
    return { token: held.token, percent: 1, message: "It goes on", text: "A", output: 1 };
  }
  if (operationId === "revoke") return { tokenId: "another" };
  return method === "POST" ? {} : undefined;
}

/** They would switch off what other callers have: only those ask who may not. */
const SWITCHES_OFF = new Set(["deleteJobShares", "deleteBatchShares"]);

interface AskedOfApi {
  token: string | undefined;
  isStream: boolean;
}

function addressOf({ path }: Route): string {
  const jobId = path.startsWith("/work/") ? held.jobId : ids.jobId;
  const params: Record<string, string> = { ...ids, jobId, scheduleId, workerId, linkId: ABSENT };
  return `/api/v1${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? "")}`;
}

/** The code of the answer, which is as the OpenAPI document says. */
async function overApi(route: Route, { token, isStream }: AskedOfApi): Promise<string> {
  const body = bodyOf(route);
  const leaving = new AbortController();
  const answer = await fetch(app.url + addressOf(route), {
    method: route.method,
    signal: leaving.signal,
    headers: {
      accept: isStream ? "text/event-stream" : "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const type = answer.headers.get("content-type") ?? "";
  const text = type === "text/event-stream" ? "" : await answer.text();
  leaving.abort();
  const { status } = answer;
  expect(described.faultsOf(route.operationId, { status, type, body: text })).toEqual([]);
  if (status < 400) succeeded.add(route.operationId);
  return codeOfProblem(text);
}

/** As the first text of a WebSocket, which closes then. */
async function overApiSocket(route: Route, token: string | undefined, isRefused: boolean) {
  const protocols = token === undefined ? [] : ["jobwire", `bearer.${token}`];
  const socket = new WebSocket(app.url.replace("http", "ws") + addressOf(route), protocols);
  let told = "";
  socket.on("message", (text: Buffer) => {
    const { event, data } = JSON.parse(text.toString()) as { event: string; data: unknown };
    if (event === "problem") told = JSON.stringify(data);
  });
  await once(socket, "open");
  if (isRefused) while (told === "") await once(socket, "message");
  else for (let n = 0; n < 3; n++) await fetch(`${app.url}/healthz`);
  socket.terminate();
  return codeOfProblem(told);
}

/** As `codeIn`. */
function codeOfProblem(text: string): string {
  const [, code] = /"code":"(UNAUTHENTICATED|TOKEN_EXPIRED|FORBIDDEN|NOT_FOUND)"/.exec(text) ?? [];
  return text.startsWith('{"type":') ? (code ?? OK) : OK;
}

/** `more` resolves when there is more to read. */
async function untilRefused(answer: () => string, more: () => Promise<unknown>): Promise<void> {
  while (codeIn(answer()) === OK) await more();
}

/** A permitted stream may stay silent. A refusal that is a fault arrives while the server answers other requests. */
async function hasAnswered(): Promise<void> {
  for (let n = 0; n < 3; n++) await fetch(`${app.url}/healthz`);
}

test("[P3] every procedure and event is asked", () => {
  expect(Object.keys(GROUPS).toSorted()).toEqual([...PROCEDURES.keys()].toSorted());
  expect(Object.keys(WORK_GROUPS)).toEqual([...WORK.keys()]);
  expect(EVENTS.size).toBe(12);
});

describe.each(CALLERS)("[P1] [P3] [P4] [P8] [J20] a caller %s", (_who, token, answers) => {
  test.each<[string, typeof overHttp]>([
    ["HTTP", overHttp],
    ["WebSocket", overSocket],
  ])("over %s", async (protocol, ask) => {
    const given = await token();
    const mine = { path: "schedule.upsert", input: scheduleOf("mine"), isRefused: false };
    scheduleId = idIn(await overHttp({ ...mine, token: await signed() }));
    const told: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [entry, group] of Object.entries(GROUPS)) {
      const path = entry.replace("*", "waits");
      const input = path === "auth.refresh" ? { token: given ?? "none" } : inputOf(path);
      // An HTTP request has its own credentials, so there is nothing to refresh.
      const isMoot = protocol === "HTTP" && path === "auth.refresh";
      expected[path] = isMoot ? OK : answers[group];
      const isRefused = expected[path] !== OK;
      told[path] = codeIn(await ask({ path, input, token: given, isRefused }));
    }
    expect(told).toEqual(expected);
  });

  test("[N1] [N7] over the API, whose answers are as its document says", async () => {
    const given = await token();
    const mine = { path: "schedule.upsert", input: scheduleOf("mine"), isRefused: false };
    scheduleId = idIn(await overHttp({ ...mine, token: await signed() }));
    const told: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const route of ROUTES_OF_API) {
      const { operationId, answer, stream } = route;
      if (answer !== undefined) {
        // The calls of others ended its attempt.
        if (answers.work === OK && answer.procedure.startsWith("work.")) held = await takeWork();
        const code = answers[GROUPS_OF_API[answer.procedure]];
        if (SWITCHES_OFF.has(operationId) && code === OK) continue;
        expected[operationId] = code;
        told[operationId] = await overApi(route, { token: given, isStream: false });
      }
      if (stream !== undefined) {
        const code = answers[GROUPS_OF_API[stream.procedure]];
        expected[`${operationId} SSE`] = code;
        told[`${operationId} SSE`] = await overApi(route, { token: given, isStream: true });
        expected[`${operationId} WebSocket`] = code;
        told[`${operationId} WebSocket`] = await overApiSocket(route, given, code !== OK);
      }
    }
    expect(told).toEqual(expected);
    const headers: Record<string, string> =
      given === undefined ? {} : { authorization: `Bearer ${given}` };
    for (const path of ["openapi.json", "docs"]) {
      const { status } = await fetch(`${app.url}/api/v1/${path}`, { headers });
      expect(status).toBe(answers.anything === OK ? 200 : 401);
    }
  });

  test("at the routes of plain HTTP", async () => {
    const given = await token();
    const headers: Record<string, string> =
      given === undefined ? {} : { authorization: `Bearer ${given}` };
    const statuses = async (path: string) => (await fetch(app.url + path, { headers })).status;
    expect(await statuses("/healthz")).toBe(200);
    expect(await statuses("/readyz")).toBe(200);
    const refused = answers.anything === OK ? 403 : 401;
    expect(await statuses("/metrics")).toBe(answers.operate === OK ? 200 : refused);
  });

  test("over Socket.IO", async () => {
    const given = await token();
    const socket = io(app.url, {
      forceNew: true,
      reconnection: false,
      auth: given === undefined ? {} : { token: given },
    });
    const refused = new Promise<string>((resolve) =>
      socket.on("connect_error", (error) => {
        resolve((error as Error & { data: { code: string } }).data.code);
      }),
    );
    const ask = async (name: string, payload: object) => {
      const answer: unknown = await Promise.race([refused, socket.emitWithAck(name, payload)]);
      return typeof answer === "string"
        ? answer
        : ((answer as { error?: { code: string } }).error?.code ?? OK);
    };
    const told = [
      await ask("subscribe:job", { job_id: ids.jobId }),
      await ask("subscribe:batch", { batch_id: ids.batchId }),
      await ask("subscribe:presence", { job_id: ids.jobId }),
      await ask("subscribe:presence", { batch_id: ids.batchId }),
      await ask("subscribe:presence", {}),
      await ask("typing:start", { job_id: ids.jobId }),
      await ask("typing:stop", { job_id: ids.jobId }),
      await ask("waiting:job", { job_id: ids.jobId }),
      await ask("unsubscribe:presence", { job_id: ids.jobId }),
      await ask("unsubscribe:job", { job_id: ids.jobId }),
      await ask("unsubscribe:batch", { batch_id: ids.batchId }),
      await ask("subscribe:feed", {}),
      await ask("unsubscribe:feed", {}),
      await ask("auth:refresh", { token: given ?? "none" }),
    ];
    socket.disconnect();
    const { readJob, readBatch, readMine, review, anything } = answers;
    expect(told.slice(0, 2)).toEqual([readJob, readBatch]);
    expect(told.slice(2, -5)).toEqual([
      readJob,
      readBatch,
      readMine,
      review,
      review,
      readJob,
      anything,
    ]);
    expect(told.slice(-5)).toEqual([anything, anything, readMine, anything, anything]);
  });
});

/** Those that the status of the job, or what is there, does not allow here. */
const NOT_NOW = [
  "retryJob",
  "approveJob",
  "rejectJob",
  "regenerateJob",
  "deleteJobShares",
  "deleteBatchShares",
  "removePause",
];

test("[N7] each operation of the API has answered some caller with what its document says", () => {
  const unanswered = ROUTES_OF_API.map(({ operationId }) => operationId).filter(
    (id) => !succeeded.has(id) && !NOT_NOW.includes(id),
  );
  expect(unanswered).toEqual([]);
});
