/** The contract of an engine (`contract.ts`) as tests. Every engine passes them; capabilities declare the differences. */
import { describe } from "vitest";
import { apiKeysSuite } from "./api-keys.suite.ts";
import { assignSuite } from "./assign.suite.ts";
import { auditSuite } from "./audit.suite.ts";
import { batchesSuite } from "./batches.suite.ts";
import { changeSuite } from "./change.suite.ts";
import { claimsSuite } from "./claims.suite.ts";
import { detailsSuite } from "./details.suite.ts";
import { draftsSuite } from "./drafts.suite.ts";
import { linesSuite } from "./lines.suite.ts";
import type { EngineUnderTest } from "./engine.fixture.ts";
import { hintsSuite } from "./hints.suite.ts";
import { jobsSuite } from "./jobs.suite.ts";
import { listsSuite } from "./lists.suite.ts";
import { modelSuite } from "./model.suite.ts";
import { pausesSuite } from "./pauses.suite.ts";
import { presenceSuite } from "./presence.suite.ts";
import { queueSuite } from "./queue.suite.ts";
import { revocationsSuite } from "./revocations.suite.ts";
import { schedulesSuite } from "./schedules.suite.ts";
import { sessionsSuite } from "./sessions.suite.ts";
import { signInsSuite } from "./sign-ins.suite.ts";
import { sharesSuite } from "./shares.suite.ts";
import { usageSuite } from "./usage.suite.ts";
import { usersSuite } from "./users.suite.ts";
import { upkeepSuite } from "./upkeep.suite.ts";
import { workersSuite } from "./workers.suite.ts";

export function engineSuite(subject: EngineUnderTest): void {
  describe(`engine: ${subject.name}`, () => {
    jobsSuite(subject);
    changeSuite(subject);
    detailsSuite(subject);
    batchesSuite(subject);
    listsSuite(subject);
    claimsSuite(subject);
    queueSuite(subject);
    draftsSuite(subject);
    linesSuite(subject);
    hintsSuite(subject);
    pausesSuite(subject);
    presenceSuite(subject);
    schedulesSuite(subject);
    sessionsSuite(subject);
    apiKeysSuite(subject);
    assignSuite(subject);
    auditSuite(subject);
    signInsSuite(subject);
    revocationsSuite(subject);
    sharesSuite(subject);
    upkeepSuite(subject);
    usageSuite(subject);
    usersSuite(subject);
    workersSuite(subject);
    modelSuite(subject);
  });
}
