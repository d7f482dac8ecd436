/**
 * Clients without a library, one for each transport with a lasting connection. Each can stop reading, so that its data
 * stays in the buffers. They emit raw text, so that thousands of them cost little.
 */
import { get, type IncomingMessage, request } from "node:http";
import { WebSocket } from "ws";

export interface RawClient {
  pause(): void;
  resume(): void;
  /** Destroys the connection without a close handshake. */
  cut(): void;
  readonly closed: Promise<unknown>;
}

export type OpenRaw = (
  url: string,
  jobId: string,
  onText: (text: string) => void,
  after?: number,
) => RawClient;

function inputOf(jobId: string, after: number | undefined) {
  const cursor = after === undefined ? {} : { lastEventId: String(after) };
  return { json: { jobId, follow: true, ...cursor } };
}

export const openTrpc: OpenRaw = (url, jobId, onText, after) => {
  const ws = new WebSocket(`${url.replace("http", "ws")}/trpc`);
  const input = inputOf(jobId, after);
  ws.once("open", () =>
    ws.send(
      JSON.stringify({ id: 1, method: "subscription", params: { path: "job.onUpdate", input } }),
    ),
  );
  ws.on("message", (data: Buffer) => {
    const text = data.toString();
    if (text === "PING") ws.send("PONG");
    else onText(text);
  });
  return control(ws);
};

/** Emits whole events, as separated by blank lines. */
export const openSse: OpenRaw = (url, jobId, onText, after) => {
  const input = encodeURIComponent(JSON.stringify(inputOf(jobId, after)));
  const request = get(`${url}/trpc/job.onUpdate?input=${input}`, { agent: false });
  request.on("error", () => {});
  const response = new Promise<IncomingMessage>((resolve) => request.once("response", resolve));
  void response.then((stream) => {
    let rest = "";
    stream.on("error", () => {});
    stream.setEncoding("utf8").on("data", (text: string) => {
      const events = (rest + text).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) onText(event);
    });
  });
  return {
    pause: () => void response.then((stream) => stream.pause()),
    resume: () => void response.then((stream) => stream.resume()),
    cut: () => void request.destroy(),
    closed: new Promise((resolve) => request.once("close", resolve)),
  };
};

export const openSocketio: OpenRaw = (url, jobId, onText) => {
  const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
  ws.on("message", (data: Buffer) => {
    const text = data.toString();
    if (text.startsWith("0")) ws.send("40");
    else if (text === "2") ws.send("3");
    else if (text.startsWith("40")) ws.send(subscribe(jobId));
    else onText(text);
  });
  return control(ws);
};

function control(ws: WebSocket): RawClient {
  ws.on("error", () => {});
  return {
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    cut: () => ws.terminate(),
    closed: new Promise((resolve) => ws.once("close", (...how) => resolve(how))),
  };
}

const subscribe = (jobId: string) => `42["subscribe:job",${JSON.stringify({ job_id: jobId })}]`;
/** Separates packets within one polling payload in Engine.IO 4. */
const SEPARATOR = "\u001e";

export const openPolling: OpenRaw = (url, jobId, onText) => {
  const over = new AbortController();
  const { signal } = over;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const base = `${url}/socket.io/?EIO=4&transport=polling`;

  async function live(): Promise<void> {
    const opened = await (await fetch(base, { signal })).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const address = `${base}&sid=${sid}`;
    const post = (body: string) => fetch(address, { method: "POST", body, signal });
    await post("40");
    for (;;) {
      await gate.promise;
      const response = await fetch(address, { signal });
      if (!response.ok) return;
      for (const packet of (await response.text()).split(SEPARATOR)) {
        if (packet === "2") await post("3");
        else if (packet.startsWith("40")) await post(subscribe(jobId));
        else onText(packet);
      }
    }
  }

  return {
    pause() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    resume: () => gate.resolve(),
    cut: () => over.abort(),
    closed: live().catch(() => {}),
  };
};

/**
 * Posts a body in these chunks. With `unfinished`, hangs up before the end. Resolves to the status, or to `undefined`
 * without a response.
 */
export async function postChunks(
  url: string,
  chunks: readonly string[],
  options: { unfinished: boolean },
): Promise<number | undefined> {
  const headers = { "Content-Type": "application/json", "Transfer-Encoding": "chunked" };
  const req = request(url, { method: "POST", agent: false, headers });
  const status = new Promise<number | undefined>((resolve) => {
    req.once("response", (response) => {
      response.resume().on("error", () => {});
      resolve(response.statusCode);
    });
    req.on("error", () => resolve(undefined));
  });
  for (const chunk of chunks) req.write(chunk);
  if (options.unfinished) req.destroy();
  else req.end();
  return status;
}
