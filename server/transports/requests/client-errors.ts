/** Answers requests that Node cannot parse, and those that do not arrive in time. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Transport } from "#server/transports/contract.ts";
import { TOO_LONG } from "./head-limit.ts";
import type { Pipeline } from "./pipelining.ts";
import { answerRaw, bodyOf, refuse } from "./refusals.ts";

type Answer = [status: number, message: string];

const ANSWERS: Record<string, Answer> = {
  HPE_HEADER_OVERFLOW: [431, TOO_LONG],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive in time."],
};
const NO_HTTP: Answer = [400, "This is not HTTP."];
const NO_BODY: Answer = [
  400,
  "The body of this request breaks off, or its chunks are not HTTP. Send it whole, with a Content-Length.",
];

export function answerClientErrors(
  server: Server,
  options: {
    pipeline: Pipeline;
    transports: readonly Transport[];
    /** The transport that serves this address. */
    transportOf(url: string | undefined): Transport | undefined;
  },
): void {
  const { pipeline, transports, transportOf } = options;
  /** The last request of each connection, until its body is read completely. */
  const latest = new WeakMap<Duplex, { req: IncomingMessage; res: ServerResponse }>();
  /** Answered connections. Node reports an error again for every packet after the first one. */
  const told = new WeakSet<Duplex>();
  // The client's protocol is unknown here. tRPC clients read only this form, and people can read it too.
  const anyone = transports.find(({ refusal }) => refusal !== undefined);

  function remember(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    latest.set(socket, { req, res });
    req.once("close", () => latest.get(socket)?.req === req && latest.delete(socket));
  }
  server.on("request", remember);
  server.on("checkExpectation", remember);

  /** Here the headers are known: they give the transport, and the response already has its CORS headers. */
  function answerBody(
    socket: Duplex,
    { req, res }: { req: IncomingMessage; res: ServerResponse },
    code: string,
  ): void {
    // The request already has an answer, or an earlier pipelined request does not have one yet.
    if (res.headersSent || res.socket !== socket) return void socket.destroy();
    const [status, message] = ANSWERS[code] ?? NO_BODY;
    res.setHeader("Connection", "close");
    refuse(res, status, bodyOf(transportOf(req.url), status, message));
  }

  function answerHead(socket: Duplex, code: string): void {
    if (!socket.writable) return void socket.destroy();
    const [status, message] = ANSWERS[code] ?? NO_HTTP;
    // The origin is unknown. The answer reveals only that the request was malformed, so every page may read it.
    const headers = ["Access-Control-Allow-Origin: *"];
    answerRaw(socket, status, bodyOf(anyone, status, message), headers);
  }

  server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return void socket.destroy();
    if (told.has(socket)) return;
    told.add(socket);
    const last = latest.get(socket);
    if (last !== undefined && !last.req.complete) return answerBody(socket, last, code);
    pipeline.after(socket, () => answerHead(socket, code));
  });
}
