import { createServer } from "node:net";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { controlSocketOf } from "./socket-path.ts";

test("the control socket lies in the data directory, with an absolute path", () => {
  expect(controlSocketOf("/var/lib/jobwire", "linux")).toEqual({
    path: "/var/lib/jobwire/control.sock",
  });
  expect(controlSocketOf("./data", "linux")).toEqual({ path: resolve("data/control.sock") });
});

/** A data directory whose control socket has a path of so many bytes. */
const dirOf = (bytes: number) => `/${"é".repeat(20)}${"d".repeat(bytes - 54)}`;

test.each<[platform: NodeJS.Platform, most: number]>([
  ["linux", 107],
  ["darwin", 103],
])("on %s a path of more than %i bytes has a clear answer", (platform, most) => {
  const longest = controlSocketOf(dirOf(most), platform);
  expect(Buffer.byteLength(longest.path ?? "")).toBe(most);
  const { path, problem } = controlSocketOf(dirOf(most + 1), platform);
  expect(path).toBeUndefined();
  expect(problem).toContain(`has ${most + 1} bytes and sockets may have ${most}`);
  expect(problem).toContain("Set DATA_DIR to a shorter path");
});

test("on Windows there is none, and the answer says what to do", () => {
  const { path, problem } = controlSocketOf("C:\\jobwire", "win32");
  expect(path).toBeUndefined();
  expect(problem).toMatch(/no control socket on Windows.*stop the server/);
});

test.skipIf(process.platform === "win32")("the longest path can be listened on", async () => {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-path-"));
  const most = process.platform === "linux" ? 107 : 103;
  const dataDir = join(dir, "d".repeat(most - dir.length - "//control.sock".length));
  await mkdir(dataDir);
  const { path } = controlSocketOf(dataDir);
  expect(path).toHaveLength(most);
  const server = createServer().listen(path);
  await once(server, "listening");
  server.close();
  await rm(dir, { recursive: true });
});
