/** Answers requests that Node cannot parse, or that do not arrive in time. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Transport } from "./contract.ts";
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
    /** The one that serves an address. */
    transportOf(url: string | undefined): Transport | undefined;
  },
): void {
  const { pipeline, transports, transportOf } = options;
  /** The last request of each connection, as long as not all of it was read. */
  const latest = new WeakMap<Duplex, { req: IncomingMessage; res: ServerResponse }>();
  /** Connections that were answered: Node reports every packet after the error. */
  const told = new WeakSet<Duplex>();
  // It is not known which client sent it. One kind of client reads nothing else than this, and people can read it, too.
  const anyone = transports.find(({ refusal }) => refusal !== undefined);

  function remember(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    latest.set(socket, { req, res });
    req.once("close", () => latest.get(socket)?.req === req && latest.delete(socket));
  }
  server.on("request", remember);
  server.on("checkExpectation", remember);

  /** Its headers are known, and so are its transport and, in the response already, what its page may read. */
  function answerBody(
    socket: Duplex,
    { req, res }: { req: IncomingMessage; res: ServerResponse },
    code: string,
  ): void {
    // It was answered before, or its turn has not come.
    if (res.headersSent || res.socket !== socket) return void socket.destroy();
    const [status, message] = ANSWERS[code] ?? NO_BODY;
    res.setHeader("Connection", "close");
    refuse(res, status, bodyOf(transportOf(req.url), status, message));
  }

  function answerHead(socket: Duplex, code: string): void {
    if (!socket.writable) return void socket.destroy();
    const [status, message] = ANSWERS[code] ?? NO_HTTP;
    // The origin is not known, and every page may learn that its own request was not one.
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
