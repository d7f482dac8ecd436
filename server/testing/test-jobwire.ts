/** An embedded Jobwire that listens on a free port, for the tests of a program. */
import { createJobwireBy, type Jobwire, type JobwireOptions } from "#server/jobwire.ts";
import type { AnyKind, KindMapOf } from "#server/kinds/define.ts";
import type { OwnRouter, RecordOf } from "#server/transports/trpc/own-procedures.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";
import { newTestData } from "./test-data.ts";

export interface TestJobwire<Served> {
  jobwire: Served;
  /** Its address: `http://localhost:41234`. */
  url: string;
  /** Its time, which stands still until the test advances it. */
  clock: TestClock;
  /** Closes it and deletes its data. */
  close(): Promise<void>;
}

/**
 * Starts one with an embedded engine and data of its own. `env` adds variables, or replaces those of the test: DATA_DIR, PORT
 * and LOG_LEVEL. Throws `TypeError` for REDIS_URL: a Redis has a clock of its own.
 */
export async function startTestJobwire<
  const Kinds extends readonly AnyKind[],
  Procedures extends OwnRouter = never,
>(
  options: JobwireOptions<Kinds, Procedures>,
): Promise<TestJobwire<Jobwire<KindMapOf<Kinds>, RecordOf<Procedures>>>> {
  if (options.env?.REDIS_URL !== undefined) {
    throw new TypeError("A test's clock cannot move a Redis. Leave REDIS_URL out.");
  }
  const data = await newTestData(options.env);
  const clock = createTestClock();
  const jobwire = createJobwireBy<Kinds, Procedures>(clock, { ...options, env: data.env });
  async function close(): Promise<void> {
    await jobwire.close();
    await data.remove();
  }
  try {
    const { url } = await jobwire.listen();
    return { jobwire, url, clock: { now: clock.now, advance: clock.advance }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
