/**
 * The WebSocket server of both transports. It bounds the messages of clients, and negotiates permessage-deflate. `ws` itself
 * inflates nothing (`bounded-inflate.ts`) and compresses nothing: a message that it compressed would come between ours and
 * their history.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { BoundedInflate } from "./bounded-inflate.ts";
import { MESSAGE_TOO_BIG } from "./close-codes.ts";
import { Compression } from "./compression.ts";
import { acceptOffer, type DeflateTerms, offerOf } from "./deflate-offer.ts";
import { MESSAGE_LIMITS } from "./message-limits.ts";

const TOO_BIG = "The message is larger than the server takes. Split it.";
const EXTENSION = "permessage-deflate";
const HEADER = "sec-websocket-extensions";

/** The private parts of `ws` that this module uses. Tests fail if they change. */
interface Private {
  _extensions: Record<string, unknown>;
}

type SendOptions = Parameters<WebSocket["send"]>[1];
type Sent = (error?: Error) => void;

class ServedWebSocket extends WebSocket {
  compression?: Compression | undefined;

  override send(data: Parameters<WebSocket["send"]>[0], options?: SendOptions | Sent, sent?: Sent) {
    if (typeof options === "function") super.send(data, { compress: false }, options);
    else super.send(data, { ...options, compress: false }, sent);
  }

  /** `ws` gives no reason for the messages that it refuses. */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, code === MESSAGE_TOO_BIG ? (reason ?? TOO_BIG) : reason);
  }
}

/** Returns what the client can inflate; `undefined` if it did not ask for compression. */
export function compressionOf(ws: WebSocket | undefined): Compression | undefined {
  return ws instanceof ServedWebSocket ? ws.compression : undefined;
}

/** `compression`: false declines every offer. */
export class BoundedWebSocketServer extends WebSocketServer<typeof ServedWebSocket> {
  readonly #maxPayload: number;

  constructor(options: ServerOptions & { maxPayload: number }, compression: boolean) {
    super({
      ...options,
      ...MESSAGE_LIMITS,
      // The transports answer pings, within their bounds.
      autoPong: false,
      WebSocket: ServedWebSocket,
      perMessageDeflate: compression && { clientNoContextTakeover: true },
    });
    this.#maxPayload = options.maxPayload;
  }

  override handleUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (ws: WebSocket, req: IncomingMessage) => void,
  ): void {
    const header = this.options.perMessageDeflate === false ? undefined : req.headers[HEADER];
    const offered = header === undefined ? undefined : readOffer(header);
    super.handleUpgrade(
      offered === undefined ? req : withOffer(req, offered.accepted),
      socket,
      head,
      (ws) => {
        if (offered?.accepted !== undefined) this.#compress(ws, offered.accepted);
        done(ws, req);
      },
    );
  }

  #compress(ws: ServedWebSocket, terms: DeflateTerms): void {
    ws.compression = new Compression(terms);
    const { _extensions: extensions } = ws as unknown as Private;
    if (extensions[EXTENSION] === undefined) throw new Error("`ws` has changed its private parts.");
    extensions[EXTENSION] = new BoundedInflate(ws, this.#maxPayload);
  }
}

/** Returns `undefined` for a malformed header, for which `ws` refuses the handshake. */
function readOffer(header: string): { accepted: DeflateTerms | undefined } | undefined {
  try {
    return { accepted: acceptOffer(header) };
  } catch {
    return undefined;
  }
}

/** The same request with this offer alone, which `ws` accepts, or with none. `ws` itself refuses the handshake in more cases. */
function withOffer(req: IncomingMessage, terms: DeflateTerms | undefined): IncomingMessage {
  const headers = { ...req.headers, [HEADER]: terms && offerOf(terms) };
  return Object.create(req, { headers: { value: headers } }) as IncomingMessage;
}
