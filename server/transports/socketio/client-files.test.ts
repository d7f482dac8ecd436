import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClientFiles } from "./client-files.ts";

const serveFile = createClientFiles();
const server = createServer((req, res) => {
  if (!serveFile(req, res)) res.writeHead(418).end();
});
let url: string;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

test.each(["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.js.map?x=1"])(
  "%s is served",
  async (name) => {
    const response = await fetch(`${url}/socket.io/${name}`);
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBeGreaterThan(1000);
  },
);

test.each([
  "/socket.io/",
  "/socket.io/?EIO=4&transport=polling",
  "/socket.io/../package.json",
  "/socket.io/%2e%2e/package.json",
  "/socket.io/socket.io.js/x",
  "/other/socket.io.js",
])("%s is not a client file", async (path) => {
  expect((await fetch(url + path)).status).toBe(418);
});

test.each(["POST", "PUT", "DELETE", "OPTIONS"])(
  "%s for a client file is refused, and does not reach a session through the public path",
  async (method) => {
    const path = "/socket.io/socket.io.js?EIO=4&transport=polling&sid=x";
    const response = await fetch(url + path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  },
);
