/**
 * Reads the bodies of polling clients. Engine.IO collects a body chunk by chunk and parses all of its packets in one go. This
 * module reads the body first, and refuses one with too many packets.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Logger } from "pino";
import {
  BodyCutOff,
  BodyTooLarge,
  discardBody,
  readBody,
} from "#server/transports/requests/body.ts";
import { codingFault } from "#server/transports/requests/request-text.ts";

/** More than a client sends at once that subscribes up to its limit. */
export const MAX_PACKETS = 5000;
/** The Content-Type of a body of binary packets, only in protocol 3 of Engine.IO. */
const BINARY = "application/octet-stream";
/** Separates the packets of a body in protocol 4 of Engine.IO. */
const SEPARATOR = 0x1e;
/** Follows the length before each packet in protocol 3 of Engine.IO. It also occurs in JSON, between keys and values. */
const COLON = 0x3a;

interface Engine {
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  /** Ends the session with this id, if it exists. */
  end(sid: string): void;
}

export function createPosts(
  engine: Engine,
  { maxBytes, log }: { maxBytes: number; log: Logger },
): (req: IncomingMessage, res: ServerResponse) => void {
  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const coding = codingFault(req);
    if (coding !== undefined) {
      discardBody(req);
      return refuse(res, 415, coding);
    }
    const body = await readBody(req, maxBytes);
    const query = new URLSearchParams(req.url?.split("?")[1]);
    const isEio3 = query.get("EIO") === "3";
    if (!isUtf8(body) && !(isEio3 && req.headers["content-type"] === BINARY)) {
      return refuse(res, 400, "The body of this request is not UTF-8.");
    }
    const packets = isEio3 ? count(body, COLON) / 4 : count(body, SEPARATOR);
    if (packets <= MAX_PACKETS) return engine.handleRequest(withBody(req, body), res);
    refuse(res, 413, tooLarge(`holds more than ${MAX_PACKETS} packets`));
    engine.end(query.get("sid") ?? "");
  }

  return (req, res) => {
    serve(req, res).catch((error: unknown) => {
      if (error instanceof BodyCutOff) return;
      if (error instanceof BodyTooLarge)
        return refuse(res, 413, tooLarge(`is larger than ${maxBytes} bytes`));
      log.error({ err: error }, "A request of a polling client failed");
      res.destroy();
    });
  };
}

function tooLarge(reason: string): string {
  return `The body of this request ${reason}, which is the limit.`;
}

function refuse(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}

function count(body: Buffer, byte: number): number {
  let found = 0;
  for (let at = body.indexOf(byte); at !== -1; at = body.indexOf(byte, at + 1)) found += 1;
  return found;
}

/** Returns a request that Engine.IO can read, with the body that has arrived. */
function withBody(
  { method, url, headers, httpVersion, socket }: IncomingMessage,
  body: Buffer,
): IncomingMessage {
  const given = { method, url, headers, httpVersion, socket, connection: socket };
  return Object.assign(Readable.from([body], { objectMode: false }), given) as never;
}
