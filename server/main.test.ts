import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
/** Simulates a fault in the server, at a signal. */
const FAULTS = {
  "an uncaught error": 'process.on("SIGUSR2", () => { throw new Error("a bug"); });',
  "an unhandled rejection": 'process.on("SIGUSR2", () => void Promise.reject(new Error("a bug")));',
};

test("[J10] a server continues to serve after the reader of its log has exited, and stops at a signal", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-main-"));
  const child = spawn(process.execPath, [MAIN], {
    env: { PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  child.stdout.destroy();
  const { url } = JSON.parse(line) as { url: string };
  // The server logs this request.
  await fetch(url, { headers: { origin: "https://elsewhere.example" } });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
  await rm(dataDir, { recursive: true });
});

test.each(Object.entries(FAULTS))(
  "%s is logged and ends the process with 1",
  async (_what, fault) => {
    const dataDir = await mkdtemp(join(tmpdir(), "jobwire-main-"));
    const args = ["--import", `data:text/javascript,${encodeURIComponent(fault)}`, MAIN];
    const child = spawn(process.execPath, args, {
      env: { PORT: "0", DATA_DIR: dataDir },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = once(child, "close");
    const lines: { msg: string; level: number; err?: { message: string } }[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
      if (lines.at(-1)?.msg === "listening") child.kill("SIGUSR2");
    });
    expect((await closed)[0]).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: 60,
      msg: "A fault in the server: it exits, and its running jobs are released when their leases end",
      err: { message: "a bug" },
    });
    await rm(dataDir, { recursive: true });
  },
  20_000,
);
