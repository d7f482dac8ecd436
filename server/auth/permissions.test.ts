import { expect, test } from "vitest";
import { AUTH_ROUTES } from "#server/transports/auth/transport.ts";
import { ROUTES_OF_API, WITHOUT_ROUTE } from "#server/transports/api/routes.ts";
import { HTTP_ROUTES } from "#server/transports/http/transport.ts";
import { createRouter } from "#server/transports/trpc/router.ts";
import { AUTH_REFRESH, LEGACY_REQUEST, LEGACY_TYPING } from "#shared/legacy.ts";
import { LEGACY_WAITING } from "#shared/legacy-waiting.ts";
import type { Principal } from "#shared/principal.ts";
import { SCOPES } from "#shared/scopes.ts";
import {
  entryOf,
  EVENTS,
  isOpen,
  OF_API,
  PROCEDURES,
  refusalFor,
  ROUTES,
  STREAMS,
} from "./permissions.ts";

const JOB = "0198f1a2-0000-7000-8000-000000000000";
const by = (...scopes: string[]): Principal => ({ userId: "ann", tenantId: "acme", scopes });

test("[P3] every procedure of the router has its requirement, and every requirement its procedure", () => {
  const router = createRouter({ intervalMs: 1000, timeoutMs: 1000 }, ["mail", "sum"]);
  const paths = Object.keys((router._def as unknown as { procedures: object }).procedures);
  expect(paths).toEqual(expect.arrayContaining(["kinds.mail.create", "kinds.sum.create"]));
  const entries = new Set(paths.map(entryOf));
  expect([...PROCEDURES.keys()].toSorted()).toEqual([...entries].toSorted());
});

test("[P23] a ticket can open each subscription of the router, and nothing else", () => {
  const router = createRouter({ intervalMs: 1000, timeoutMs: 1000 }, ["mail"]);
  const { procedures } = router._def as unknown as {
    procedures: Record<string, { _def: { type: string } }>;
  };
  const subscriptions = Object.keys(procedures).filter(
    (path) => procedures[path]?._def.type === "subscription",
  );
  expect([...STREAMS].toSorted()).toEqual(subscriptions.map(entryOf).toSorted());
});

test("[N1] every procedure has a route of the API, or a reason why it has none", () => {
  const served = ROUTES_OF_API.flatMap(({ answer, stream }) => [
    ...(answer ? [answer.procedure] : []),
    ...(stream ? [stream.procedure] : []),
  ]);
  const ofKinds = [...PROCEDURES.keys()].filter((path) => path.startsWith("kinds."));
  const all = new Set([...served, ...Object.keys(WITHOUT_ROUTE), ...ofKinds]);
  expect([...all].toSorted()).toEqual([...OF_API.keys()].toSorted());
  expect(Object.keys(WITHOUT_ROUTE).filter((path) => served.includes(path as never))).toEqual([]);
  const streams = ROUTES_OF_API.flatMap(({ stream }) => (stream ? [stream.procedure] : []));
  expect(streams.filter((path) => !STREAMS.has(path))).toEqual([]);
});

test("[P3] every event of Socket.IO has its requirement, and every requirement its event", () => {
  const events = [
    ...Object.values(LEGACY_REQUEST),
    ...Object.values(LEGACY_TYPING),
    AUTH_REFRESH,
    LEGACY_WAITING,
  ];
  expect([...EVENTS.keys()].toSorted()).toEqual(events.toSorted());
});

test("[P3] every route of HTTP has its requirement, and every requirement its route", () => {
  expect([...ROUTES.keys()]).toEqual([...HTTP_ROUTES, ...AUTH_ROUTES]);
  const closed = [...ROUTES].filter(([, required]) => required !== "anyone");
  expect(closed).toEqual([["/metrics", "operator"]]);
  expect(refusalFor(by("operator"), ROUTES, "/metrics")).toBeUndefined();
  for (const scope of SCOPES.filter((each) => each !== "operator")) {
    expect(refusalFor(by(scope, "*"), ROUTES, "/metrics")?.code).toBe("FORBIDDEN");
  }
  expect(refusalFor(by("operator"), ROUTES, "/no.such")?.code).toBe("FORBIDDEN");
});

test.each([
  "constructor",
  "toString",
  "job.delete",
  "kinds.mail.delete",
  "kinds.create",
  "kinds.a.b.create",
  "",
])("[P3] what is in no table is refused to all: %j", (name) => {
  expect(refusalFor(by("*"), PROCEDURES, name)).toMatchObject({ code: "FORBIDDEN" });
  expect(refusalFor(by("*"), EVENTS, name)).toMatchObject({ code: "FORBIDDEN" });
});

/** The procedures that each scope permits alone, beside those for every principal. */
const PERMITTED: Record<string, string[]> = {
  "": [],
  "jobs:read": [
    "job.get",
    "job.list",
    "job.events",
    "job.waiting",
    "job.logs",
    "job.onUpdate",
    "job.onOutput",
    "job.onLog",
    "job.onPresence",
    "job.share",
    "job.unshare",
    "job.links",
    "batch.get",
    "batch.list",
    "batch.onUpdate",
    "batch.onPresence",
    "batch.share",
    "batch.unshare",
    "batch.links",
    "feed.onUpdate",
    "presence.onUpdate",
    "schedule.list",
    "schedule.get",
    "pause.list",
    "kinds.*.get",
    "kinds.*.list",
    "kinds.*.onUpdate",
    "kinds.*.onOutput",
  ],
  "jobs:write": [
    "job.create",
    "job.cancel",
    "job.retry",
    "batch.create",
    "batch.cancel",
    "schedule.upsert",
    "schedule.pause",
    "schedule.resume",
    "schedule.trigger",
    "schedule.delete",
    "kinds.*.create",
    "kinds.*.createMany",
  ],
  "jobs:review": ["job.approve", "job.reject", "job.regenerate", "job.typing"],
  tenant: [],
  admin: ["audit.list", "auth.revoke", "pause.list", "pause.remove", "pause.set"],
  operator: [
    "pause.list",
    "pause.remove",
    "pause.set",
    "worker.drain",
    "worker.list",
    "worker.resume",
  ],
  work: [],
  [`job:${JOB}:read`]: [
    "job.get",
    "job.events",
    "job.waiting",
    "job.onUpdate",
    "job.onOutput",
    "job.onPresence",
    "kinds.*.get",
    "kinds.*.onUpdate",
    "kinds.*.onOutput",
  ],
  [`batch:${JOB}:read`]: ["batch.get", "batch.onUpdate", "batch.onPresence"],
};

test.each(Object.entries(PERMITTED))("[P3] the scope %j permits %j", (scope, permitted) => {
  const open = [
    "auth.me",
    "auth.refresh",
    "auth.ticket",
    "kind.list",
    "system.info",
    "system.onState",
  ];
  const principal = by(...(scope === "" ? [] : [scope]));
  const may = [...PROCEDURES.keys()].filter(
    (path) => refusalFor(principal, PROCEDURES, path) === undefined,
  );
  expect(may.toSorted()).toEqual([...permitted, ...open].toSorted());
});

test("[P3] `auth.refresh` alone is open to callers without a principal", () => {
  expect([...PROCEDURES.keys()].filter(isOpen)).toEqual(["auth.refresh"]);
  expect(isOpen("no.such")).toBe(false);
});

test("[P3] every scope is in the list above", () => {
  expect(Object.keys(PERMITTED)).toEqual(expect.arrayContaining([...SCOPES]));
});

test("[P3] the refusal names the scope", () => {
  expect(refusalFor(by("jobs:read"), PROCEDURES, "job.create")).toMatchObject({
    code: "FORBIDDEN",
    message: "This needs the scope jobs:write, which your credentials do not grant.",
  });
  expect(refusalFor(by(), EVENTS, "subscribe:batch")?.message).toContain("jobs:read");
});
