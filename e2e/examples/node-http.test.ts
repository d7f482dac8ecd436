import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

const csv = ["name,email", ...Array.from({ length: 60 }, (_, i) => `Ann,ann${i}@example.com`)];

const example = describeExample({
  basePath: "/jobwire",
  start: (env) => startExample("node-http", { env }),
  kind: "csvImport",
  input: () => ({ csv: csv.join("\n") }),
  clientEnds: /Imported 2 contacts, refused 1\n$/,
});

test("its own route starts a job, and its other routes go on", async () => {
  const { url } = example();
  const created = await fetch(`${url}/imports`, {
    method: "POST",
    body: "name,email\nZoe,zoe@example.com\n",
  });
  expect(created.status).toBe(202);
  expect(created.headers.get("location")).toMatch(/^\/jobwire\/jobs\/[\w-]{36}$/);
  await vi.waitFor(async () => {
    const contacts = (await (await fetch(`${url}/contacts`)).json()) as unknown;
    expect(contacts).toContainEqual({ name: "Zoe", email: "zoe@example.com" });
  });
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
});

test("its own WebSocket goes on beside Jobwire's", async () => {
  const address = example().url.replace("http", "ws");
  const [ann, bob] = [new WebSocket(`${address}/chat`), new WebSocket(`${address}/chat`)];
  await Promise.all([once(ann, "open"), once(bob, "open")]);
  const heard = once(bob, "message");
  ann.send("hello");
  expect(String((await heard)[0])).toBe("hello");
  const ended = Promise.all([once(ann, "close"), once(bob, "close")]);
  expect(await example().stop()).toBe(0);
  await ended;
  await example().start();
});
