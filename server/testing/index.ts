/** The subpath `jobwire/testing`: for the tests of programs that use Jobwire, in any test runner. */
export { createFaultProxy, type FaultProxy } from "./fault-proxy.ts";
export { type KindRun, runKind, type RunKindOptions } from "./run-kind.ts";
export type { TestClock } from "./test-clock.ts";
export { startTestJobwire, type TestJobwire } from "./test-jobwire.ts";
