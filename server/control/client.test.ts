import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { createRemoteManagement } from "./client.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "jobwire-control-"));
  path = join(dir, "control.sock");
});
afterEach(() => rmSync(dir, { recursive: true }));

async function answerWith(listener: RequestListener): Promise<void> {
  const server = createServer(listener).listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
}
const list = () => createRemoteManagement(path).apiKeys.list({ limit: 1 });

test("without a socket there is no server", async () => {
  await expect(list()).rejects.toMatchObject({ name: "NoServer" });
});

test.each([
  ["no JSON", "<html>"],
  ["nothing", ""],
  ["another answer", '{"items":[{"id":1}],"nextCursor":null}'],
  ["an unknown code", '{"error":{"code":"TEAPOT","message":"no"}}'],
])("%s from the server is not taken for an answer", async (_what, body) => {
  await answerWith((_req, res) => res.end(body));
  await expect(list()).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("does not understand") as string,
  });
});

test("an answer without end is cut off", async () => {
  await answerWith((_req, res) => {
    const more = () => {
      while (!res.destroyed && res.write(" ".repeat(1_000_000)));
    };
    res.on("drain", more);
    more();
  });
  await expect(list()).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("a server that ends without an answer leaves the outcome open, and the error says so", async () => {
  const server = createSocketServer((socket) => socket.destroy()).listen(path);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  await expect(list()).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringMatching(/gave no answer.*List the keys/) as string,
  });
});
