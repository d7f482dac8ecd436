import { fileURLToPath } from "node:url";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { startServer } from "#e2e/server.ts";
import { runPython } from "./python.ts";

const REFUSED = fileURLToPath(new URL("refused.py", import.meta.url));

test("[L4] python-socketio can print a refusal that quotes a name cut at an emoji", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const program = runPython(inject("python"), [REFUSED, server.url, `${"x".repeat(39)}😀`]);
  onTestFinished(() => program.end());
  await vi.waitFor(
    () => expect(program.lines.join("") + program.stderr()).toMatch(/is not an event|Error/),
    { timeout: 120_000 },
  );
  expect(program.stderr()).toBe("");
  expect(program.lines[0]).toMatch(/^"x{39}…" is not an event of this server\./);
});
