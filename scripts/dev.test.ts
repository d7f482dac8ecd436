import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";

const PROGRAM = fileURLToPath(new URL("dev.ts", import.meta.url));
const isAlive = async (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

test("the server and the page run together, and Ctrl-C ends both", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-dev-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const dev = spawn(process.execPath, [PROGRAM], {
    env: { PORT: "0", DATA_DIR: dataDir, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void dev.kill("SIGKILL"));
  let output = "";
  dev.stdout.on("data", (text: Buffer) => (output += text.toString()));
  const find = (pattern: RegExp) =>
    vi.waitFor(() => {
      const [, found] = pattern.exec(output) ?? [];
      if (found === undefined) throw new Error(`${pattern} is not in: ${output}`);
      return found;
    });
  const server = await find(/"url":"(http:[^"]+)"/);
  const page = await find(/Local:\s+(http:\S+)/);
  expect([await isAlive(`${server}/healthz`), await isAlive(page)]).toEqual([true, true]);
  const closed = once(dev, "close");
  dev.kill("SIGINT");
  // The output of a child that still ran would keep it from closing.
  await closed;
  expect([await isAlive(`${server}/healthz`), await isAlive(page)]).toEqual([false, false]);
});
