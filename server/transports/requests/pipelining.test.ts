import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { createPipeline, MAX_PIPELINED } from "./pipelining.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";

const get = (path: string, end = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${end}\r\n`;

async function serve(handle: (req: IncomingMessage, res: ServerResponse) => void) {
  const pipeline = createPipeline();
  const raw = await openRawServer({}, (req, res) => pipeline.take(req, res, handle));
  return { ...raw, pipeline };
}

test("requests of one connection run one after the other", async () => {
  let underWay = 0;
  let most = 0;
  const { send } = await serve((req, res) => {
    most = Math.max(most, (underWay += 1));
    res.once("finish", () => (underWay -= 1));
    setImmediate(() => {
      if (req.url === "/15") res.setHeader("Connection", "close");
      res.end(`[${req.url}]`);
    });
  });
  const paths = Array.from({ length: MAX_PIPELINED }, (_, index) => `/${index}`);
  const answers = await send(paths.map((path) => get(path)).join(""));
  expect(answers.match(/\[\/\d+\]/g)).toEqual(paths.map((path) => `[${path}]`));
  expect([most, underWay]).toEqual([1, 0]);
});

test("[H5] a connection with too many waiting requests is closed, and only its first request has begun", async () => {
  const begun: string[] = [];
  const { send, connect } = await serve((req) => void begun.push(req.url ?? ""));
  expect(await send(get("/slow") + get("/more").repeat(MAX_PIPELINED))).toBe("");
  expect(await send(get("/slow") + get("/more").repeat(1300))).toBe("");
  const slow = connect();
  slow.write(get("/slow"));
  await expect.poll(() => begun.length, { timeout: 120_000 }).toBe(3);
  for (let count = 0; count < MAX_PIPELINED; count++) slow.write(get("/more"));
  await new Promise((resolve) => slow.once("close", resolve));
  expect(begun).toEqual(["/slow", "/slow", "/slow"]);
});

test("a request whose connection has closed does not begin", async () => {
  const begun: ServerResponse[] = [];
  const { connect, server } = await serve((_req, res) => void begun.push(res));
  const received = new Promise<void>((resolve) => {
    let count = 0;
    server.on("request", () => (count += 1) === 3 && resolve());
  });
  const socket = connect();
  socket.write(get("/first") + get("/second") + get("/third"));
  await received;
  const closed = new Promise((resolve) => begun[0]?.once("close", resolve));
  socket.destroy();
  await closed;
  await new Promise((resolve) => server.close(resolve));
  expect(begun).toHaveLength(1);
});

test("a kept-alive connection serves its hundredth request like its first", async () => {
  const { connect, pipeline, server } = await serve((req, res) => res.end(`[${req.url}]`));
  const serverSide = new Promise<Parameters<typeof pipeline.isBusy>[0]>((resolve) =>
    server.once("connection", resolve),
  );
  const socket = connect();
  let answers = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (answers += chunk));
  for (let turn = 0; turn < 100; turn++) {
    socket.write(get(`/${turn}`));
    await expect.poll(() => answers, { interval: 1, timeout: 120_000 }).toContain(`[/${turn}]`);
  }
  expect(pipeline.isBusy(await serverSide)).toBe(false);
});
