/**
 * Reads request bodies. Node emits each chunk of a chunked body as a separate buffer, and the buffer of a one-byte chunk
 * takes a hundred bytes, so this module copies chunks together as they arrive. One read of 64 KiB can hold ten thousand
 * such chunks, which block the event loop for up to a tenth of a second, so only one socket with tiny chunks is read at a
 * time.
 */
import { IncomingMessage } from "node:http";

/** The body is larger than `limit` bytes. The rest of it is discarded as it arrives. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
  readonly limit: number;

  constructor(limit: number) {
    super(`The body of this request is larger than ${limit} bytes.`);
    this.limit = limit;
  }
}

/** The client left before its body was complete. */
export class BodyCutOff extends Error {
  override readonly name = "BodyCutOff";
}

const FIRST_BYTES = 4096;
/** Chunks after which a body yields to other bodies. At 64 KiB a chunk, these are 64 MiB. */
const CHUNKS_A_TURN = 1000;

/** Rejects with `BodyTooLarge` or `BodyCutOff`. Costs at most three times the bytes that arrived. */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.allocUnsafe(0);
    let length = 0;
    const letOthers = pacer(req);

    function settle(): void {
      req.off("data", onData);
      req.off("end", onEnd);
      req.off("close", onClose);
    }
    function onData(chunk: Buffer): void {
      letOthers();
      const needed = length + chunk.length;
      if (needed > limit) {
        settle();
        bytes = Buffer.alloc(0);
        discardBody(req);
        return reject(new BodyTooLarge(limit));
      }
      if (needed > bytes.length) {
        const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed, 2 * bytes.length));
        bytes.copy(grown, 0, 0, length);
        bytes = grown;
      }
      chunk.copy(bytes, length);
      length = needed;
    }
    function onEnd(): void {
      settle();
      resolve(bytes.subarray(0, length));
    }
    function onClose(): void {
      settle();
      reject(new BodyCutOff("The client left before its request was complete."));
    }
    req.on("data", onData);
    req.on("end", onEnd);
    req.on("close", onClose);
  });
}

/** Reads and drops the rest of a body: many clients read the response only after they sent the whole request. */
export function discardBody(req: IncomingMessage): void {
  const { "transfer-encoding": coding, "content-length": length } = req.headers;
  if (coding !== undefined || length !== undefined) req.on("data", pacer(req));
}

/** Returns a function to call for each chunk. */
function pacer(req: IncomingMessage): () => void {
  const body: Body = { req, chunks: 0 };
  return () => {
    body.chunks += 1;
    if (body.chunks % CHUNKS_A_TURN === 0 && !paused.has(body)) pause(body);
  };
}

interface Body {
  req: IncomingMessage;
  /** Chunks received so far. */
  chunks: number;
}

/** Bodies with many chunks. Only one of their sockets is read at a time. */
const paused = new Set<Body>();

function pause(body: Body): void {
  // Node calls `_read` after each chunk, and that would resume the socket.
  body.req._read = () => {};
  body.req.socket.pause();
  paused.add(body);
  if (paused.size === 1) setImmediate(resumeNext);
}

/** Resumes the body with the fewest chunks, so that ordinary bodies do not wait for those in tiny chunks. */
function resumeNext(): void {
  let next: Body | undefined;
  for (const body of paused) if (body.chunks < (next?.chunks ?? Infinity)) next = body;
  if (next === undefined) return;
  paused.delete(next);
  next.req._read = IncomingMessage.prototype._read;
  next.req.socket.resume();
  if (paused.size > 0) setImmediate(resumeNext);
}
