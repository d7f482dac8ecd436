import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

/** A site that answers slowly, so that a check of 60 links takes some seconds. */
const PAUSE_MS = 50;
const site = createServer((req, res) => {
  setTimeout(() => res.writeHead(req.url === "/broken" ? 410 : 200).end(), PAUSE_MS);
});
let links: string;

beforeAll(async () => {
  await once(site.listen(0, "127.0.0.1"), "listening");
  links = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
});

afterAll(() => {
  site.closeAllConnections();
  site.close();
});

const example = describeExample({
  basePath: "/jobwire",
  start: (env) => startExample("fastify", { env }),
  kind: "linkCheck",
  input: () => ({ urls: Array.from({ length: 60 }, (_, index) => `${links}/${index}`) }),
  clientEnds: /Broken: http:\S+\/nowhere \(HTTP 404\)\n$/,
});

test("its own route starts a job and streams what happens to it", async () => {
  const { url } = example();
  const response = await fetch(`${url}/check?url=${encodeURIComponent(`${links}/broken`)}`);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await response.text()).trim().split("\n");
  const broken = { url: `${links}/broken`, reason: "HTTP 410" };
  expect(lines.map((line) => JSON.parse(line) as unknown).slice(-2)).toEqual([
    { status: "DELIVERED", details: { checked: 1, of: 1, broken: 1 } },
    { broken: [broken] },
  ]);
});

test("its other routes go on, and Fastify checks their inputs", async () => {
  const { url } = example();
  expect(await (await fetch(`${url}/`)).json()).toEqual({ hello: "world" });
  expect((await fetch(`${url}/check`)).status).toBe(400);
  expect((await fetch(`${url}/nowhere`)).status).toBe(404);
});
