/** `contract.ts` as tests. Every engine passes all of it; what engines may differ in, they declare. */
import { describe } from "vitest";
import { batchesSuite } from "./suites/batches.suite.ts";
import { changeSuite } from "./suites/change.suite.ts";
import { claimsSuite } from "./suites/claims.suite.ts";
import { draftsSuite } from "./suites/drafts.suite.ts";
import type { EngineUnderTest } from "./suites/harness.ts";
import { hintsSuite } from "./suites/hints.suite.ts";
import { jobsSuite } from "./suites/jobs.suite.ts";
import { listsSuite } from "./suites/lists.suite.ts";
import { modelSuite } from "./suites/model.suite.ts";
import { sessionsSuite } from "./suites/sessions.suite.ts";
import { upkeepSuite } from "./suites/upkeep.suite.ts";

export function engineSuite(subject: EngineUnderTest): void {
  describe(`engine: ${subject.name}`, () => {
    jobsSuite(subject);
    changeSuite(subject);
    batchesSuite(subject);
    listsSuite(subject);
    claimsSuite(subject);
    draftsSuite(subject);
    hintsSuite(subject);
    sessionsSuite(subject);
    upkeepSuite(subject);
    modelSuite(subject);
  });
}
