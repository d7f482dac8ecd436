/**
 * `npm run test:long` runs the tests that import this file, and those in `*.long.test.ts`, with larger numbers. What they
 * prove, a run of all tests proves with smaller ones.
 */
const isLong = process.env.TEST_LONG === "1";

/** How often something is tried: `usual` in each run of the tests, `long` in the long one. */
export function timesOf(usual: number, long: number): number {
  return isLong ? long : usual;
}
