/** Compression on a whole server: each kind of answer, and those that must not be compressed. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { brotliDecompressSync, createGunzip, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import type { App } from "#server/app.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";

/** Longer than what is compressed at all. */
const LONG_MESSAGE = "Done. ".repeat(200).trim();

const notes = defineKind({
  name: "notes",
  description: "Keeps a text.",
  input: z.object({ text: z.string() }),
  output: z.unknown(),
  title: () => "A note",
  run: async () => delivered(LONG_MESSAGE, null),
});
const TEXT = "what was said, ".repeat(200);

let data: TestData;
let app: App;
let token: string;
let jobId: string;

async function start(env: Record<string, string> = {}): Promise<void> {
  app = await startAppWithTokens(data, { kinds: [notes], env });
  token = await tokenFor("ann");
  const answer = await ask("/trpc/job.create", {
    body: { json: { kind: "notes", input: { text: TEXT } } },
  });
  jobId = JSON.parse(answer.text).result.data.json.id as string;
}

beforeEach(async () => {
  data = await newTestData();
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

interface Answer {
  coding: string | undefined;
  vary: string | undefined;
  status: number | undefined;
  text: string;
}

function ask(
  path: string,
  { body, accepted = "br" }: { body?: unknown; accepted?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "accept-encoding": accepted,
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const method = body === undefined ? "GET" : "POST";
    const asked = request(app.url + path, { method, headers }, (res) => {
      const parts: Buffer[] = [];
      res.on("data", (part: Buffer) => parts.push(part));
      res.on("end", () => {
        const bytes = Buffer.concat(parts);
        const coding = res.headers["content-encoding"];
        const decode = { br: brotliDecompressSync, gzip: gunzipSync }[coding ?? ""];
        const text = (decode?.(bytes) ?? bytes).toString();
        resolve({ coding, vary: res.headers.vary, status: res.statusCode, text });
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const inputOf = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const getJob = () => `/trpc/job.get?input=${inputOf({ json: { jobId } })}`;

test("[Z5] answers of calls and of polls are compressed, and caches learn on what they depend", async () => {
  await start();
  const job = await ask(getJob());
  expect(job).toMatchObject({
    coding: "br",
    vary: expect.stringMatching(/Origin, Accept-Encoding$/) as string,
    status: 200,
  });
  expect(job.text).toContain(TEXT);
  expect(await ask(getJob(), { accepted: "gzip;q=0.5, br;q=0" })).toMatchObject({ coding: "gzip" });
  const plain = await ask(getJob(), { accepted: "identity" });
  expect(plain).toMatchObject({ coding: undefined, text: job.text });
  const calls = Array.from({ length: 10 }, () => "job.none").join(",");
  const failed = await ask(`/trpc/${calls}?batch=1`);
  expect([failed.coding, failed.status]).toEqual(["br", 404]);

  const io = "/socket.io/?EIO=4&transport=polling";
  const opened = await ask(io);
  const { sid } = JSON.parse(opened.text.slice(1)) as { sid: string };
  expect(opened.coding).toBeUndefined();
  const say = (text: string) =>
    fetch(`${app.url}${io}&sid=${sid}`, {
      method: "POST",
      headers: { "content-type": "text/plain;charset=UTF-8" },
      body: text,
    });
  await say(`40${JSON.stringify({ token })}`);
  expect((await ask(`${io}&sid=${sid}`)).text).toMatch(/^40/);
  await say(`42["subscribe:job",{"job_id":"${jobId}"}]`);
  const polled: Answer[] = [];
  await vi.waitFor(async () => {
    polled.push(await ask(`${io}&sid=${sid}`));
    expect(polled.at(-1)?.text).toContain(LONG_MESSAGE);
  });
  expect(polled.at(-1)?.coding).toBe("br");
});

test("[Z8] answers with secrets are not compressed, whatever stands beside them", async () => {
  await start();
  const batch = inputOf({ 0: { json: { jobId } }, 1: { json: { jobId } } });
  expect((await ask(`/trpc/job.get,job.get?batch=1&input=${batch}`)).coding).toBe("br");
  const ticket = { path: "job.onUpdate", input: { json: { jobId } } };
  const share = { jobId, expiresIn: 60 };
  const create = { kind: "notes", input: { text: TEXT } };
  for (const [paths, input] of [
    [Array.from({ length: 8 }, () => "job.share"), share],
    [Array.from({ length: 8 }, () => "job%2Eshare"), share],
    // tRPC serves these too.
    [["job.create", "job.share/"], share],
    [["./job.share", "job.create"], share],
    [["x/%2e%2e/job.share", "job.create"], share],
    [["job.create", "job.share#here"], share],
    [Array.from({ length: 8 }, () => "auth.ticket"), ticket],
  ] as const) {
    const body = Object.fromEntries(
      paths.map((path, n) => [n, { json: path === "job.create" ? create : input }]),
    );
    const answer = await ask(`/trpc/${paths.join(",").replace(/(#.*)?$/, "?batch=1$1")}`, { body });
    expect([answer.text.length > 1024, answer.status, answer.coding]).toEqual([
      true,
      200,
      undefined,
    ]);
  }
  const me = await ask(`/auth/${"x".repeat(2000)}`);
  expect([me.status, me.coding]).toEqual([404, undefined]);
});

test("COMPRESSION=false compresses nothing", async () => {
  await start({ COMPRESSION: "false" });
  const job = await ask(getJob());
  expect([job.coding, job.vary, job.status]).toEqual([
    undefined,
    "trpc-accept, accept, Origin",
    200,
  ]);
  expect((await ask("/metrics", { accepted: "gzip" })).coding).toBeUndefined();
});

test("[Z5] the answers of a batch that comes in parts do not wait for the last one", async () => {
  await start();
  const { port } = new URL(app.url);
  const batch = inputOf({ 0: { json: { jobId } }, 1: { json: { jobId } } });
  const answer = await fetch(
    `http://localhost:${port}/trpc/job.get,job.get?batch=1&input=${batch}`,
    {
      headers: {
        authorization: `Bearer ${token}`,
        "trpc-accept": "application/jsonl",
        "accept-encoding": "gzip",
      },
    },
  );
  expect(answer.headers.get("content-encoding")).toBeNull();
  expect(answer.headers.get("transfer-encoding")).toBe("chunked");
  expect(await answer.text()).toContain("what was said");
});

test("[Z7] the event stream of a job is compressed, and every event can be decoded as it comes", async () => {
  await start();
  const asked = request(`${app.url}/trpc/job.onUpdate?input=${inputOf({ json: { jobId } })}`, {
    headers: { authorization: `Bearer ${token}`, "accept-encoding": "gzip" },
  }).end();
  const [stream] = (await once(asked, "response")) as [IncomingMessage];
  expect(stream.headers).toMatchObject({
    "content-encoding": "gzip",
    vary: expect.stringContaining("Accept-Encoding") as string,
  });
  let text = "";
  stream.pipe(createGunzip()).on("data", (part: Buffer) => (text += part.toString()));
  await vi.waitFor(() => expect(text).toContain(jobId));
  stream.destroy();
});
