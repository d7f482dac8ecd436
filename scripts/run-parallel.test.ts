import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { runParallel, type ScriptResult } from "./run-parallel.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "jobwire-scripts-"));
});
afterEach(async () => {
  await rm(cwd, { recursive: true });
});

/** Writes a package whose scripts run these programs, by name, and runs them all. */
async function run(programs: Record<string, string>) {
  const names = Object.keys(programs);
  for (const [name, program] of Object.entries(programs)) {
    await writeFile(join(cwd, `${name}.mjs`), program);
  }
  const scripts = Object.fromEntries(names.map((name) => [name, `node ${name}.mjs`]));
  await writeFile(join(cwd, "package.json"), JSON.stringify({ scripts }));
  const results: ScriptResult[] = [];
  const failed = await runParallel(names, { cwd, onResult: (result) => void results.push(result) });
  return { failed, results };
}

/** Answers its first request when a second one is there. */
async function openBarrier(): Promise<string> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_req, res) => {
    waiting.push(res);
    if (waiting.length === 2) for (const each of waiting) each.end("both are here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("scripts run at the same time, and the output of each is whole", async () => {
  const url = await openBarrier();
  const meet = (name: string) =>
    `console.log("${name} waits"); console.log("${name}:", await (await fetch("${url}")).text());`;
  const { failed, results } = await run({ one: meet("one"), two: meet("two") });
  expect(failed).toEqual([]);
  expect(results.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: "one", ok: true, output: "one waits\none: both are here\n" },
    { name: "two", ok: true, output: "two waits\ntwo: both are here\n" },
  ]);
});

test("every script that fails is named with what it wrote, and the others run to their end", async () => {
  const { failed, results } = await run({
    bad: `console.error("a fault"); process.exitCode = 2;`,
    killed: `process.kill(process.pid, "SIGKILL");`,
    good: `console.log("fine");`,
  });
  expect(failed).toEqual(["bad", "killed"]);
  expect(results).toContainEqual({ name: "bad", ok: false, output: "a fault\n" });
  expect(results).toContainEqual({ name: "good", ok: true, output: "fine\n" });
});

test("a script that does not exist has failed", async () => {
  await writeFile(join(cwd, "package.json"), JSON.stringify({ scripts: {} }));
  const outputs: string[] = [];
  const onResult = ({ output }: ScriptResult) => void outputs.push(output);
  expect(await runParallel(["missing"], { cwd, onResult })).toEqual(["missing"]);
  expect(outputs.join("")).toContain("missing");
});
