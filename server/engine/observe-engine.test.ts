import { afterEach, beforeEach, expect, test } from "vitest";
import { ANN, at, codeOf, newJob } from "#test/engine/builders.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import type { Engine } from "./contract.ts";
import { openEngine } from "./index.ts";
import { ENGINE_OPERATIONS, observeEngine } from "./observe-engine.ts";

let data: TestData;
let engine: Engine;
let told: string[];
let seconds: number[];
const groups: number[] = [];
const observer = {
  took(operation: string, took: number) {
    told.push(operation);
    seconds.push(took);
  },
  failed: (code: string) => void told.push(code),
};

beforeEach(async () => {
  told = [];
  seconds = [];
  groups.length = 0;
  data = await newTestData();
  engine = await openEngine(data.config, { observer, onGroup: (size) => groups.push(size) });
});
afterEach(async () => {
  await engine.close();
  await data.remove();
});

test("each operation is measured under its name, and those of one commit are counted together", async () => {
  const job = newJob();
  await Promise.all([engine.createJob(job, at(0)), engine.createJob(newJob(), at(0))]);
  expect(groups).toEqual([2]);
  await engine.getJob(job.id);
  await engine.apiKeys.find("none");
  await engine.audit.list({ tenant: ANN.tenant, limit: 1 });
  expect(told).toEqual(["createJob", "createJob", "getJob", "apiKeys.find", "audit.list"]);
  for (const took of seconds) {
    expect(took).toBeGreaterThan(0);
    expect(took).toBeLessThan(60);
  }
});

test("a refusal is an answer of the engine, and an engine that is closed has failed", async () => {
  expect(await codeOf(engine.change(newJob().id, { action: "cancel" }, at(0)))).toBe("NOT_FOUND");
  expect(told).toEqual(["change"]);
  await engine.close();
  told = [];
  expect(await codeOf(engine.getJob(newJob().id))).toBe("UNAVAILABLE");
  expect(told).toEqual(["getJob", "UNAVAILABLE"]);
});

test("a caller gets the very promise of the engine, so measuring changes no order", async () => {
  const answer = Promise.resolve(undefined);
  const observed = observeEngine({ ...engine, getJob: () => answer }, observer);
  expect(observed.getJob("x")).toBe(answer);
});

test("an observer receives no name but the operations of the contract", () => {
  const known = new Set(ENGINE_OPERATIONS);
  expect(known.size).toBe(ENGINE_OPERATIONS.length);
  expect(known).toContain("change");
  expect(known).toContain("shareLinks.remove");
  // These are no operations on the data, or take as long as the data is large.
  for (const name of ["onAppend", "close", "isAvailable", "backup", "capabilities"]) {
    expect(known).not.toContain(name);
  }
});
