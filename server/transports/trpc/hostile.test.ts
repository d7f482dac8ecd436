import { once } from "node:events";
import { connect } from "node:net";
import { decode } from "@msgpack/msgpack";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { DONE, eventually } from "#test/jobs/jobs.fixture.ts";
import {
  openClient,
  openTestServer,
  type TestServer,
  watchJob,
} from "#test/transports/trpc.fixture.ts";

const MIB = 1024 * 1024;

async function openSocket(url: string, query = "") {
  // Compressed, some of these messages would be refused for how much they grow.
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc${query}`, {
    perMessageDeflate: false,
  });
  const answers: { id: unknown; error?: { json: { data: { code: string } } }; result?: unknown }[] =
    [];
  socket.on("message", (data: Buffer, isBinary) =>
    answers.push((isBinary ? decode(data) : JSON.parse(data.toString())) as (typeof answers)[0]),
  );
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return { socket, answers, codes: () => answers.map(({ error }) => error?.json.data.code) };
}

/** A well-behaved client, which the attack must not affect. */
async function besides(server: TestServer, deed: () => Promise<void>): Promise<void> {
  const { fixture, url } = server;
  const gate = Promise.withResolvers<void>();
  fixture.run = async ({ progress }) => {
    await progress(30, "Before");
    await gate.promise;
    await progress(60, "After");
    return DONE;
  };
  fixture.startRunner();
  const jobId = await fixture.create();
  const notes = [
    watchJob(openClient(url, "ws"), { jobId }),
    watchJob(openClient(url, "sse"), { jobId }),
  ];
  await eventually(() => notes.forEach(({ data }) => expect(data.at(-1)?.progress).toBe(30)));
  await deed();
  gate.resolve();
  await eventually(() => notes.forEach(({ state }) => expect(state).toBe("complete")));
  expect(notes.flatMap(({ errors }) => errors)).toEqual([]);
  expect(server.logged.filter(({ level }) => level >= 50)).toEqual([]);
}

test.each([
  ["no JSON", "{"],
  ["an empty text", ""],
  ["null", "null"],
  ["a number", "5"],
  ["a list of nonsense", "[1,2,{}]"],
  ["no method", '{"id":1}'],
  ["an unknown method", '{"id":1,"method":"steal","params":{"path":"job.list"}}'],
  ["no params", '{"id":1,"method":"query"}'],
  ["no id", '{"method":"query","params":{"path":"job.list"}}'],
  ["a path that is not a string", '{"id":1,"method":"query","params":{"path":5}}'],
  [
    "an input that superjson cannot read",
    '{"id":1,"method":"query","params":{"path":"job.get","input":5}}',
  ],
  [
    "a prototype",
    '{"id":1,"method":"query","params":{"path":"__proto__.toString","input":{"json":{}}}}',
  ],
  [
    "a subscription as a query",
    '{"id":1,"method":"query","params":{"path":"feed.onUpdate","input":{"json":{}}}}',
  ],
  [
    "a query as a subscription",
    '{"id":1,"method":"subscription","params":{"path":"job.list","input":{"json":{}}}}',
  ],
  ["deep nesting", "[".repeat(100_000)],
  [
    "an input that would touch prototypes",
    '{"id":1,"method":"mutation","params":{"path":"job.create","input":{"json":{"kind":"work","input":{"__proto__":{"polluted":1}}},"meta":{"values":{"__proto__.polluted":["Date"]},"referentialEqualities":{"input":["constructor.prototype"]}}}}}',
  ],
])(
  "a message that is %s gets an error or no answer, and affects no other client",
  async (_what, message) => {
    const server = await openTestServer();
    await besides(server, async () => {
      const { socket, answers } = await openSocket(server.url);
      socket.send(message);
      // The same socket still serves well-formed messages.
      socket.send(
        JSON.stringify({ id: 99, method: "query", params: { path: "system.info", input: {} } }),
      );
      await eventually(() => expect(answers.map(({ id }) => id)).toContain(99));
      const served = answers.filter(({ error }) => error === undefined);
      expect(served).toMatchObject([{ id: 99, result: {} }]);
      expect({}).not.toHaveProperty("polluted");
    });
  },
);

test("binary frames that hold no MessagePack are refused, including empty ones", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    const { socket, codes } = await openSocket(server.url);
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.alloc(0));
    await eventually(() => expect(codes()).toEqual(["PARSE_ERROR", "PARSE_ERROR"]));
  });
});

test("a second subscription with the same id is refused, and stopping an unknown one does nothing", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    const { socket, answers, codes } = await openSocket(server.url);
    const subscribe = {
      id: 1,
      method: "subscription",
      params: { path: "feed.onUpdate", input: {} },
    };
    socket.send(JSON.stringify(subscribe));
    socket.send(JSON.stringify(subscribe));
    socket.send(JSON.stringify({ id: 77, method: "subscription.stop" }));
    await eventually(() => expect(codes()).toContain("BAD_REQUEST"));
    expect(answers.some(({ id }) => id === 77)).toBe(false);
  });
});

test("a message beyond the limit closes its sender's connection, and affects no other client", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    const { socket } = await openSocket(server.url);
    socket.send("x".repeat(17 * MIB));
    expect((await once(socket, "close"))[0]).toBe(1009);
  });
});

test("broken frames close their sender's connection, and affect no other client", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    for (const bytes of [
      [0xff, 0xff, 0xff, 0xff],
      [0x81, 0x05, 1, 2, 3, 4, 5],
      [0x83, 0x80, 0, 0, 0, 0],
    ]) {
      const { socket } = await openSocket(server.url);
      const closed = once(socket, "close");
      const { _socket: wire } = socket as unknown as { _socket: { write(data: Buffer): void } };
      wire.write(Buffer.from(bytes));
      expect((await closed)[0]).toBe(1002);
    }
  });
});

test("bad connection parameters end that connection with the reason", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    for (const message of ["{", "5", '{"method":"connectionParams","data":5}']) {
      const { socket, codes } = await openSocket(server.url, "?connectionParams=1");
      const closed = once(socket, "close");
      socket.send(message);
      await closed;
      expect(codes()).toHaveLength(1);
    }
  });
});

test("an invalid upgrade is refused, and so is an invalid host", async () => {
  const server = await openTestServer();
  const send = (lines: string[]) =>
    new Promise<string>((resolve, reject) => {
      let answer = "";
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () =>
        socket.write([...lines, "", ""].join("\r\n")),
      );
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
      socket.on("close", () => resolve(answer)).on("error", reject);
    });
  await besides(server, async () => {
    const upgrade = ["GET /trpc HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"];
    expect(await send([...upgrade, "Host: localhost"])).toMatch(/^HTTP\/1\.1 400 /);
    const key = [`Sec-WebSocket-Key: ${"x".repeat(22)}==`, "Sec-WebSocket-Version: 13"];
    expect(await send([...upgrade, "Host: [", ...key])).not.toContain("101");
    expect(
      await send([...upgrade, "Host: localhost", ...key.slice(0, 1), "Sec-WebSocket-Version: 7"]),
    ).toMatch(/^HTTP\/1\.1 400 /);
  });
});

const post = async (url: string, body: string, type = "application/json") => {
  const res = await fetch(`${url}/trpc/job.create`, {
    method: "POST",
    body,
    headers: { "content-type": type },
  });
  const answer = (await res.json()) as { error: { json: { data: { code: string } } } };
  return [res.status, answer.error.json.data.code];
};

test("bodies over HTTP that are broken, oversize or of another type are refused with the reason", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    expect(await post(server.url, "{")).toEqual([400, "BAD_REQUEST"]);
    expect(await post(server.url, "")).toEqual([400, expect.any(String)]);
    expect(await post(server.url, "5")).toEqual([400, "BAD_REQUEST"]);
    expect(await post(server.url, '{"json":{"kind":"work","input":{}}}', "text/plain")).toEqual([
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ]);
    expect(await post(server.url, JSON.stringify({ json: "x".repeat(17 * MIB) }))).toEqual([
      413,
      "PAYLOAD_TOO_LARGE",
    ]);
    for (const path of [
      "/trpc",
      "/trpc/",
      "/trpc/%ff",
      "/trpc/job.get?input=%7B",
      "/trpc/a,b,c?batch=1&input=5",
      "/trpc/job.create",
    ]) {
      const { status } = await fetch(`${server.url}${path}`);
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
    }
  });
});

test("a client that leaves in the middle of its request affects no other", async () => {
  const server = await openTestServer();
  await besides(server, async () => {
    for (let n = 0; n < 20; n++) {
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
      socket.write(
        "POST /trpc/job.create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
      );
      await once(socket, "connect");
      socket.resetAndDestroy();
      expect(socket.destroyed).toBe(true);
    }
  });
});
