import { expect, test } from "vitest";
import { checkQuickRun, runBench } from "./run.suite.ts";

test("a quick run of chosen scenarios measures them, prints them, and keeps them as JSON", async () => {
  const names = ["noop-jobs", "start"];
  const reports = await checkQuickRun(names);
  expect(reports.map(({ scenario }) => scenario)).toEqual(names);
});

test("a scenario that does not exist is answered with those that do", async () => {
  await expect(runBench("--quick", "--only", "nothing")).rejects.toThrow(
    /There is no scenario "nothing". There are: trpc-delivery/,
  );
});
