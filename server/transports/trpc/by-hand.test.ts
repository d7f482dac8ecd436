/** Requests that people write with curl, without the stock client, and the errors for common mistakes. */
import { once } from "node:events";
import { connect } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

const WORK = { kind: "work", input: { name: "bread" } };
const JSON_TYPE = { "Content-Type": "application/json" };

interface Answer {
  result?: { data: { json: unknown } };
  error?: { json: { message: string; data: { code: string; appCode: string } } };
}

async function answerOf(response: Promise<Response>): Promise<[number, Answer]> {
  const res = await response;
  return [res.status, (await res.json()) as Answer];
}

function refusal(code: string, message: RegExp): unknown {
  return {
    error: {
      json: expect.objectContaining({
        message: expect.stringMatching(message),
        data: expect.objectContaining({ code, appCode: "BAD_REQUEST" }),
      }),
    },
  };
}

test("an envelope is all that a call needs", async () => {
  const { url } = await openTestServer();
  const body = JSON.stringify({ json: WORK });
  const init = { method: "POST", headers: JSON_TYPE, body };
  expect(await answerOf(fetch(`${url}/trpc/job.create`, init))).toMatchObject([
    200,
    { result: { data: { json: { kind: "work", input: { name: "bread" } } } } },
  ]);
});

test("no cache may keep an answer, an error or a stream", async () => {
  const { url } = await openTestServer();
  const cacheOf = async (path: string, headers: Record<string, string> = {}) => {
    const res = await fetch(`${url}/trpc/${path}`, { headers });
    await res.body?.cancel();
    return [res.status, res.headers.get("cache-control")];
  };
  const sse = { Accept: "text/event-stream" };
  expect(await cacheOf("system.info")).toEqual([200, "no-store"]);
  expect(await cacheOf("system.info,no.such?batch=1")).toEqual([207, "no-store"]);
  expect(await cacheOf("no.such")).toEqual([404, "no-store"]);
  expect(await cacheOf("feed.onUpdate", sse)).toEqual([200, "no-cache, no-transform"]);
  expect(await cacheOf("no.such", sse)).toEqual([404, "no-store"]);
});

test.each([
  ["POST", "job.create", WORK],
  ["POST", "job.create", 5],
  ["POST", "job.create", [WORK]],
  ["GET", "job.get", { jobId: "01a20665-8cab-704e-9437-209e0533c3ad" }],
  // A procedure without a required input would silently ignore it.
  ["GET", "job.list", { limit: 1 }],
  ["GET", "system.info", { limit: 1 }],
])("%s %s without the envelope gets an error that shows it: %j", async (method, path, input) => {
  const { url, logged } = await openTestServer();
  const body = JSON.stringify(input);
  const init = method === "GET" ? {} : { method: "POST", headers: JSON_TYPE, body };
  const query =
    method === "GET" ? `${path.includes("?") ? "&" : "?"}input=${encodeURIComponent(body)}` : "";
  const response = fetch(`${url}/trpc/${path}${query}`, init);
  expect(await answerOf(response)).toEqual([
    400,
    refusal("BAD_REQUEST", /^The input must be in an envelope: send \{"json": …\}/),
  ]);
  expect(logged.filter(({ level }) => level > 20)).toEqual([]);
});

test.each([
  ["job.onUpdate", { jobId: "01a20665-8cab-704e-9437-209e0533c3ad" }, {}],
  ["feed.onUpdate", { lastEventId: "0" }, {}],
  // The cursor of a reconnecting client goes into its input.
  ["feed.onUpdate", { lastEventId: "0" }, { "Last-Event-ID": "1" }],
])("an event stream sends the same error: %s %j %j", async (path, input, headers) => {
  const { url } = await openTestServer();
  const query = encodeURIComponent(JSON.stringify(input));
  const text = await (await fetch(`${url}/trpc/${path}?input=${query}`, { headers })).text();
  expect(text).toContain("event: serialized-error");
  expect(text).toContain("The input must be in an envelope");
});

test("a request without input gets an error that names the missing field", async () => {
  const { url } = await openTestServer();
  for (const query of ["", "?input=", "?input={}", "?input=null"]) {
    expect((await fetch(`${url}/trpc/job.list${query}`)).status).toBe(200);
    expect(await answerOf(fetch(`${url}/trpc/job.get${query}`))).toEqual([
      400,
      refusal("BAD_REQUEST", /expected object/),
    ]);
  }
});

test.each(['{"json":{"kind":"work"', "kind=work", "{'json': {}}"])(
  "input that is not JSON gets BAD_REQUEST with a message that says so: %s",
  async (body) => {
    const { url, logged } = await openTestServer();
    const asked = [
      fetch(`${url}/trpc/job.create`, { method: "POST", headers: JSON_TYPE, body }),
      fetch(`${url}/trpc/job.list?input=${encodeURIComponent(body)}`),
      fetch(`${url}/trpc/system.info?input=${encodeURIComponent(body)}`),
    ];
    for (const answer of asked) {
      expect(await answerOf(answer)).toEqual([
        400,
        refusal("BAD_REQUEST", /^The input is not JSON: /),
      ]);
    }
    expect(logged.filter(({ level }) => level > 20)).toEqual([]);
  },
);

test.each([
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/octet-stream",
  "text/plain",
  "",
])("a body of the type %s gets an error that names the right type", async (type) => {
  const { url } = await openTestServer();
  const body = JSON.stringify({ json: WORK });
  const headers = { "Content-Type": type };
  for (const path of ["job.create", "job.create,job.create?batch=1"]) {
    const [status, answer] = await answerOf(
      fetch(`${url}/trpc/${path}`, { method: "POST", headers, body }),
    );
    expect([status, [answer].flat()[0]]).toEqual([
      415,
      refusal("UNSUPPORTED_MEDIA_TYPE", /Content-Type: application\/json/),
    ]);
  }
});

test.each(["multipart/form-data; boundary=x", "application/octet-stream", "text/plain"])(
  "a GET has no body, so it may have any Content-Type: %s",
  async (type) => {
    const { url } = await openTestServer();
    const headers = { "Content-Type": type };
    expect((await fetch(`${url}/trpc/job.list`, { headers })).status).toBe(200);
  },
);

async function postWith(headers: Record<string, string>, body: Buffer<ArrayBuffer>) {
  const { url } = await openTestServer();
  const init = { method: "POST", headers: { ...JSON_TYPE, ...headers }, body };
  return answerOf(fetch(`${url}/trpc/job.create`, init));
}

describe("a body that is compressed", () => {
  const plain = Buffer.from(JSON.stringify({ json: WORK }));

  test.each([
    ["gzip", gzipSync(plain)],
    ["gzip", plain],
    ["GZIP, identity", plain],
    ["br", brotliCompressSync(plain)],
    ["deflate", deflateSync(plain)],
    ["zstd", zstdCompressSync(plain)],
    ["x".repeat(200), plain],
  ])("gets an error that says that the server accepts no coding: %s", async (coding, body) => {
    const answer = await postWith({ "Content-Encoding": coding }, body);
    expect(answer).toEqual([
      415,
      refusal(
        "UNSUPPORTED_MEDIA_TYPE",
        /^The body has the Content-Encoding "[^"]{1,60}", but this server accepts none\. Send the body uncompressed/,
      ),
    ]);
  });

  test("may declare the coding `identity`", async () => {
    expect((await postWith({ "Content-Encoding": "Identity" }, plain))[0]).toBe(200);
    expect((await postWith({ "Content-Encoding": "" }, plain))[0]).toBe(200);
  });

  test("by a transfer coding gets the same error", async () => {
    const { url } = await openTestServer();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const head = ["POST /trpc/job.create HTTP/1.1", "Host: localhost", "Connection: close"];
    head.push("Content-Type: application/json", "Transfer-Encoding: gzip, chunked", "", "");
    socket.write(head.join("\r\n"));
    const body = gzipSync(plain);
    socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(body);
    socket.write("\r\n0\r\n\r\n");
    let answer = "";
    for await (const chunk of socket.setEncoding("latin1")) answer += chunk as string;
    expect(answer).toMatch(/^HTTP\/1\.1 415 [^]*Transfer-Encoding/);
  });
});

const E_ACUTE = { latin1: [0xe9], utf8: [0xc3, 0xa9] };
const named = (byte: readonly number[]) =>
  Buffer.concat([
    Buffer.from('{"json":{"kind":"work","input":{"name":"caf'),
    Buffer.from(byte),
    Buffer.from('"}}}'),
  ]);
function utf16(text: string, order: "utf16le" | "utf16be"): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(text, "utf16le");
  return order === "utf16le" ? bytes : bytes.swap16();
}
const post = (body: Buffer<ArrayBuffer>, type: string) => postWith({ "Content-Type": type }, body);

describe("text in a charset other than UTF-8", () => {
  const created = [200, { result: { data: { json: { input: { name: "café" } } } } }];

  test.each([
    ["UTF-8 that is named", named(E_ACUTE.utf8), "application/json; charset=UTF-8"],
    [
      "UTF-8 after a byte order mark",
      Buffer.from(`\uFEFF${named(E_ACUTE.utf8).toString()}`),
      "application/json",
    ],
    ["latin1 that is named", named(E_ACUTE.latin1), "application/json; charset=iso-8859-1"],
    ["a name in quotes", named(E_ACUTE.latin1), 'application/json;charset="windows-1252"'],
    ...(["utf-16", "UTF-16LE", "unicode", "utf-16be"] as const).flatMap(
      (charset): [string, Buffer<ArrayBuffer>, string][] =>
        (["utf16le", "utf16be"] as const).map((order) => [
          `${order} with a byte order mark, as ${charset},`,
          utf16(`\uFEFF${named(E_ACUTE.utf8).toString()}`, order),
          `application/json; charset=${charset}`,
        ]),
    ),
    [
      "UTF-16 that is named",
      Buffer.from(named(E_ACUTE.utf8).toString(), "utf16le"),
      "application/json; charset=utf-16le",
    ],
  ])("%s is decoded", async (_name, body, type) => {
    expect(await post(body, type)).toMatchObject(created);
  });

  test.each([
    [
      "latin1 without a name",
      named(E_ACUTE.latin1),
      "application/json",
      /is not utf-8\. .*charset=/,
    ],
    [
      "latin1 that is called UTF-8",
      named(E_ACUTE.latin1),
      "application/json;charset=utf-8",
      /not utf-8/,
    ],
    ["half a character", named([0xc3]), "application/json", /is not utf-8/],
    [
      "UTF-16 without a name",
      utf16(`\uFEFF${named(E_ACUTE.utf8).toString()}`, "utf16le"),
      "application/json",
      /is not utf-8\. .*charset=/,
    ],
    [
      "UTF-16 the wrong way round",
      utf16(named(E_ACUTE.utf8).toString(), "utf16be"),
      "application/json; charset=utf-16",
      /is not JSON in utf-16le\. .*charset=/,
    ],
    [
      "UTF-8 that is called UTF-16",
      named(E_ACUTE.utf8),
      "application/json; charset=utf-16",
      /is not (?:JSON in )?utf-16/,
    ],
    [
      "an unknown charset",
      named(E_ACUTE.utf8),
      "application/json;charset=klingon",
      /"klingon".*UTF-8/,
    ],
  ])("%s is refused", async (_name, body, type, message) => {
    expect(await post(body, type)).toEqual([400, refusal("BAD_REQUEST", message)]);
  });

  test("in an address it is refused", async () => {
    const { url } = await openTestServer();
    const ask = (query: string) => answerOf(fetch(`${url}/trpc/job.list?input=${query}`));
    const input = encodeURIComponent('{"json":{"kind":"café"}}');
    expect((await ask(input))[0]).toBe(200);
    expect(await ask(input.replace("%C3%A9", "%E9"))).toEqual([
      400,
      refusal("BAD_REQUEST", /percent-encoded bytes that are not UTF-8\. .*encodeURIComponent/),
    ]);
  });
});

test("over a WebSocket the answer names its request, whether the envelope or the input is missing", async () => {
  const { url } = await openTestServer();
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc`);
  onTestFinished(() => socket.terminate());
  const answers: (Answer & { id: number })[] = [];
  socket.on("message", (data: Buffer) => answers.push(JSON.parse(data.toString())));
  await once(socket, "open");
  const send = (id: number, path: string, input?: unknown) =>
    socket.send(JSON.stringify({ id, method: "query", params: { path, input } }));
  send(1, "job.list", { limit: 1 });
  send(2, "job.get");
  send(3, "job.list");
  await eventually(() => expect(answers).toHaveLength(3));
  expect(answers.toSorted((a, b) => a.id - b.id)).toMatchObject([
    { id: 1, ...(refusal("BAD_REQUEST", /in an envelope/) as object) },
    { id: 2, ...(refusal("BAD_REQUEST", /expected object/) as object) },
    { id: 3, result: { data: { json: { items: [] } } } },
  ]);
});
