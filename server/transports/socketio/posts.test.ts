import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
import { openTestServer } from "#test/transports/socketio.fixture.ts";

test("packets that are not UTF-8 are refused, and their session continues", async () => {
  const server = await openTestServer();
  onTestFinished(() => server.close());
  const client = await openPolling(server.url);
  await client.post("40");
  const packet = Buffer.from('42["subscribe:job",{"job_id":"caf\u00E9"}]', "latin1");
  const refused = await client.postBytes(packet);
  expect([refused.status, await refused.text()]).toEqual([
    400,
    "The body of this request is not UTF-8.\n",
  ]);
  expect((await client.post('42["subscribe:job",{"job_id":"caf\u00E9"}]')).status).toBe(200);
  const heard: string[] = [];
  while (!heard.some((text) => text.includes("subscription:error"))) {
    heard.push(...(await client.poll()).packets);
  }
  expect(heard.filter((text) => text.includes("subscription:error"))).toHaveLength(1);
});

test("compressed packets are refused with the reason, and their session continues", async () => {
  const server = await openTestServer();
  onTestFinished(() => server.close());
  const opened = await (
    await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { connection: "close" },
    })
  ).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const post = (body: Buffer<ArrayBuffer>, coding: string) =>
    fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
      method: "POST",
      headers: { connection: "close", "content-encoding": coding },
      body,
    });
  for (const body of [gzipSync("40"), Buffer.from("40")]) {
    const refused = await post(body, "gzip");
    expect([refused.status, await refused.text()]).toEqual([
      415,
      expect.stringMatching(
        /^The body has the Content-Encoding "gzip", but this server accepts none\./,
      ),
    ]);
  }
  expect((await post(Buffer.from("40"), "identity")).status).toBe(200);
});

test("binary packets of an old client are accepted", async () => {
  const server = await openTestServer({ allowEio3: true });
  onTestFinished(() => server.close());
  const url = `${server.url}/socket.io/?EIO=3&transport=polling`;
  const headers = { connection: "close" };
  const opened = await (await fetch(url, { headers })).text();
  const { sid } = JSON.parse(opened.slice(opened.indexOf("{"), opened.indexOf("}") + 1)) as {
    sid: string;
  };
  const packet = Buffer.from('42["subscribe:job",{"job_id":"unknown"}]');
  // Engine.IO 3: text, its length in decimal digits of a byte each, the end of the length.
  const length = String(packet.length).split("").map(Number);
  const body = Buffer.concat([Buffer.from([0, ...length, 255]), packet]);
  const posted = await fetch(`${url}&sid=${sid}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/octet-stream" },
    body,
  });
  expect(posted.status).toBe(200);
  let heard = "";
  while (!heard.includes("subscription:error")) {
    heard += await (await fetch(`${url}&sid=${sid}`, { headers })).text();
  }
  expect(heard).toContain("unknown");
});
