import { describe, expect, test } from "vitest";
import { mayChange, mayRead, type Principal } from "./principal.ts";

const ID = "0198f1a2-0000-7000-8000-000000000000";
const OTHER = "0198f1a2-0000-7000-8000-000000000001";
const RECORD = { id: ID, tenant: "acme", owner: "ann" };

const by = (userId: string, tenantId: string, ...scopes: string[]): Principal => ({
  userId,
  tenantId,
  scopes,
});

describe("[P4] a job of ann at acme", () => {
  test.each<[who: string, principal: Principal, reads: boolean, changes: boolean]>([
    ["its owner", by("ann", "acme", "jobs:read"), true, true],
    ["its owner without a scope", by("ann", "acme"), false, true],
    ["a teammate", by("bob", "acme", "jobs:read"), false, false],
    ["a teammate with `tenant`", by("bob", "acme", "jobs:read", "tenant"), true, true],
    ["a teammate with `tenant` alone", by("bob", "acme", "tenant"), false, true],
    ["an admin of the tenant", by("bob", "acme", "jobs:read", "admin"), false, false],
    ["an operator", by("bob", "acme", "operator"), false, false],
    ["a viewer of this job", by("bob", "acme", `job:${ID}:read`), true, false],
    ["a viewer of another job", by("bob", "acme", `job:${OTHER}:read`), false, false],
    ["a viewer of a batch of the same id", by("bob", "acme", `batch:${ID}:read`), false, false],
    ["the same name at another tenant", by("ann", "bakery", "*"), false, false],
    ["a viewer at another tenant", by("bob", "bakery", `job:${ID}:read`), false, false],
    ["its owner who is trusted with everything", by("ann", "acme", "*"), true, true],
    ["a teammate who is trusted with everything", by("bob", "acme", "*"), false, false],
  ])("%s", (_who, principal, reads, changes) => {
    expect([mayRead(principal, "job", RECORD), mayChange(principal, RECORD)]).toEqual([
      reads,
      changes,
    ]);
  });
});
