/**
 * Compresses answers for clients that accept it. It takes the place of the methods with which an answer is written, and
 * decides when the first byte of the body is:
 *
 *   deciding ── the type, the status or the client is not for it ──► plain
 *      │ ├───── an event stream ──► events
 *      │ └───── the head is known, parts of the body arrive ──► collecting ── too large ──► plain
 *      └─────── the whole body is there (also from collecting) ──► compressing, or plain if it is small
 *
 * Until then the head waits. A body with a `Content-Length` that arrives in parts is a file, and stays as it is.
 */
import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import { type Coding, codingFor, withVary } from "./accept-encoding.ts";
import { type CompressBody, createBodyCompressor } from "./compressed-bodies.ts";
import { type CompressedEvents, compressEvents } from "./compressed-events.ts";

/** Below this, the head of the answer is larger than what compression saves. */
export const MIN_COMPRESSED_BYTES = 1024;
/** A body beyond this is sent as it arrives. */
const MAX_COLLECTED_BYTES = 32 * 1024 * 1024;
/** Each takes 110 KiB (`compressed-events.ts`). Beyond it, streams go out as they are. */
const MAX_COMPRESSED_STREAMS = 1000;

const EVENT_STREAM = /^text\/event-stream *(?:;|$)/i;
/** Types that are not compressed in themselves. */
const COMPRESSIBLE =
  /^(?:text\/|application\/(?:json|javascript|xml|manifest\+json)|image\/svg\+xml)/i;
const NO_TRANSFORM = /(?:^|,) *no-transform *(?:,|$)/i;
/** A small state for each stream matters more than the last percents. */
const FOR_EVENTS: readonly Coding[] = ["gzip"];
const FOR_BODIES: readonly Coding[] = ["br", "gzip"];

export interface Compression {
  /** Call it before anything is written. */
  apply(req: IncomingMessage, res: ServerResponse): void;
}

/** All answers share these. */
interface Shared {
  readonly compressBody: CompressBody;
  readonly maxStreams: number;
  /** Event streams that are compressed now. */
  streams: number;
}

export function createCompression(maxStreams: number = MAX_COMPRESSED_STREAMS): Compression {
  const shared: Shared = { compressBody: createBodyCompressor(), maxStreams, streams: 0 };
  return { apply: (req, res) => new Answer(req, res, shared).begin() };
}

type State =
  | { readonly mode: "deciding" }
  | { readonly mode: "collecting"; readonly coding: Coding; readonly parts: Buffer[] }
  | { readonly mode: "compressing" }
  | { readonly mode: "events"; readonly events: CompressedEvents }
  | { readonly mode: "plain" };

/** With the arguments that they were called with: their own types are overloads. */
interface Original {
  writeHead(status: number, ...rest: unknown[]): ServerResponse;
  write(...args: unknown[]): boolean;
  end(...args: unknown[]): ServerResponse;
  flushHeaders(): void;
}

type Done = (error?: Error | null) => void;

class Answer {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #shared: Shared;
  readonly #original: Original;
  #state: State = { mode: "deciding" };
  #collected = 0;

  constructor(req: IncomingMessage, res: ServerResponse, shared: Shared) {
    this.#req = req;
    this.#res = res;
    this.#shared = shared;
    this.#original = {
      writeHead: res.writeHead.bind(res),
      write: res.write.bind(res),
      end: res.end.bind(res),
      flushHeaders: res.flushHeaders.bind(res),
    };
  }

  begin(): void {
    const res = this.#res;
    // The types of two of these methods are overloads, which a function cannot have.
    res.writeHead = this.#writeHead;
    res.write = this.#write as typeof res.write;
    res.end = this.#end as typeof res.end;
    res.flushHeaders = this.#flushHeaders;
  }

  /** Keeps the head until the body is known. Node calls it too, when a body begins without a head. */
  readonly #writeHead = (status: number, ...rest: unknown[]): ServerResponse => {
    const res = this.#res;
    const { mode } = this.#state;
    if (mode === "plain" || mode === "events") return this.#original.writeHead(status, ...rest);
    // The answer is whole, though it waits for its compressor.
    if (mode === "compressing") return res;
    res.statusCode = status;
    if (typeof rest[0] === "string") res.statusMessage = rest.shift() as string;
    setHeaders(res, rest[0]);
    return res;
  };

  readonly #flushHeaders = (): void => {
    if (this.#state.mode === "deciding") this.#decide(true);
    const { mode } = this.#state;
    if (mode === "plain" || mode === "events") this.#original.flushHeaders();
  };

  readonly #write = (data: unknown, encoding?: unknown, done?: unknown): boolean => {
    if (this.#state.mode === "deciding") this.#decide(true);
    const state = this.#state;
    if (state.mode === "plain") return this.#original.write(data, encoding, done);
    const chunk = bufferOf(data, encoding);
    callLater(doneOf(encoding, done));
    if (state.mode === "events") return state.events.write(chunk);
    if (state.mode === "collecting") this.#collect(state.parts, chunk);
    return true;
  };

  readonly #end = (data?: unknown, encoding?: unknown, done?: unknown): ServerResponse => {
    const res = this.#res;
    const hasData = data !== undefined && data !== null && typeof data !== "function";
    if (this.#state.mode === "deciding") this.#decide(false);
    const state = this.#state;
    switch (state.mode) {
      case "plain":
        return this.#original.end(data, encoding, done);
      case "events":
        res.once("finish", doneOf(data, encoding, done));
        state.events.end(hasData ? bufferOf(data, encoding) : undefined);
        return res;
      case "collecting": {
        if (hasData) state.parts.push(bufferOf(data, encoding));
        this.#finish(Buffer.concat(state.parts), state.coding, doneOf(data, encoding, done));
        return res;
      }
      case "compressing":
      case "deciding":
        return res;
    }
  };

  /** `inParts`: the body does not come as a whole. */
  #decide(inParts: boolean): void {
    const res = this.#res;
    const type = String(res.getHeader("content-type") ?? "");
    const isStream = EVENT_STREAM.test(type);
    const isFile = inParts && res.hasHeader("content-length") && !isStream;
    // Caches put its header in the place of the one that they have (RFC 9110, 15.4.5).
    if (res.statusCode === 304) addVary(res);
    if (isFile || !mayBeCompressed(res, isStream) || !COMPRESSIBLE.test(type)) {
      return this.#sendPlain();
    }
    addVary(res);
    const accepted = this.#req.headers["accept-encoding"];
    const coding = codingFor(accepted, isStream ? FOR_EVENTS : FOR_BODIES);
    if (coding === undefined) this.#sendPlain();
    else if (this.#req.method === "HEAD") this.#sendHead();
    else if (isStream && (res.destroyed || this.#shared.streams >= this.#shared.maxStreams)) {
      this.#sendPlain();
    } else if (isStream) this.#sendEvents(coding);
    else this.#state = { mode: "collecting", coding, parts: [] };
  }

  /** The head of a body that GET would compress: its length is unknown. */
  #sendHead(): void {
    const res = this.#res;
    if (Number(res.getHeader("content-length") ?? 0) >= MIN_COMPRESSED_BYTES) {
      res.removeHeader("content-length");
      weaken(res);
    }
    this.#sendPlain();
  }

  #sendPlain(): void {
    this.#state = { mode: "plain" };
  }

  #sendEvents(coding: Coding): void {
    const res = this.#res;
    const { write, end } = this.#original;
    const events = compressEvents({
      write: (bytes) => write(bytes),
      end: () => void end(),
      drained: () => void res.emit("drain"),
      destroy: () => void res.destroy(),
    });
    this.#state = { mode: "events", events };
    // Also emitted here, for the writer of the events.
    res.on("drain", () => {
      if (!res.writableNeedDrain) events.onDrain();
    });
    this.#shared.streams += 1;
    res.once("close", () => {
      this.#shared.streams -= 1;
      events.close();
    });
    res.removeHeader("content-length");
    res.setHeader("Content-Encoding", coding);
    this.#original.flushHeaders();
  }

  #collect(parts: Buffer[], chunk: Buffer): void {
    parts.push(chunk);
    this.#collected += chunk.length;
    if (this.#collected <= MAX_COLLECTED_BYTES) return;
    this.#sendPlain();
    for (const part of parts) this.#original.write(part);
  }

  #finish(body: Buffer, coding: Coding, done: Done): void {
    const res = this.#res;
    if (body.length < MIN_COMPRESSED_BYTES) {
      this.#sendPlain();
      return void this.#original.end(body, done);
    }
    this.#state = { mode: "compressing" };
    // The client may leave meanwhile.
    const isWanted = () => !res.destroyed;
    this.#shared.compressBody(body, coding, isWanted).then(
      (bytes) => {
        if (bytes === undefined || !isWanted()) return;
        res.setHeader("Content-Encoding", coding);
        res.setHeader("Content-Length", bytes.length);
        weaken(res);
        this.#sendPlain();
        this.#original.end(bytes, done);
      },
      () => res.destroy(),
    );
  }
}

/** tRPC forbids to transform its streams, by which it means proxies, which would wait for more of them. */
function mayBeCompressed(res: ServerResponse, isStream: boolean): boolean {
  const { statusCode } = res;
  const hasBody = statusCode >= 200 && statusCode !== 204 && statusCode !== 304;
  const cacheControl = String(res.getHeader("cache-control") ?? "");
  const isForbidden = !isStream && NO_TRANSFORM.test(cacheControl);
  return hasBody && !res.hasHeader("content-encoding") && !isForbidden;
}

function addVary(res: ServerResponse): void {
  res.setHeader("Vary", withVary(res.getHeader("vary"), "Accept-Encoding"));
}

/** A strong validator names bytes, which compression changes. */
function weaken(res: ServerResponse): void {
  const etag = res.getHeader("etag");
  if (typeof etag === "string" && !etag.startsWith("W/")) res.setHeader("ETag", `W/${etag}`);
}

/** `headers`: an object, or names and values in turn. */
function setHeaders(res: ServerResponse, headers: unknown): void {
  if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      res.appendHeader(String(headers[at]), headers[at + 1] as string);
    }
  } else if (typeof headers === "object" && headers !== null) {
    for (const [name, value] of Object.entries(headers as Record<string, OutgoingHttpHeader>)) {
      if (value !== undefined) res.setHeader(name, value);
    }
  }
}

function bufferOf(data: unknown, encoding: unknown): Buffer {
  if (typeof data !== "string") return Buffer.from(data as Uint8Array);
  return Buffer.from(data, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}

/** The callback among optional arguments. */
function doneOf(...args: unknown[]): Done {
  return (args.find((each) => typeof each === "function") as Done | undefined) ?? (() => {});
}

function callLater(done: Done): void {
  process.nextTick(done, null);
}
