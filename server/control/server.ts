/** The server's side of the control socket: HTTP over a socket that only the server's own user can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "pino";
import { AppError, asError, type ErrorCode, isInstance } from "#shared/errors.ts";
import type { ControlCalls } from "./calls.ts";
import { listenOnSocket } from "./listen.ts";
import { CONTROL_VERSION } from "./protocol.ts";

const MAX_CONTROL_BODY_BYTES = 64 * 1024;
const MAX_CONTROL_HEAD_BYTES = 8192;
const MAX_CONTROL_CONNECTIONS = 16;
/** For a request to arrive, and for its answer to be read. */
const CONTROL_TIMEOUT_MS = 5000;

const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  UNAVAILABLE: 503,
};

export interface ControlServer {
  /** Removes the socket, and ends its connections. */
  close(): Promise<void>;
}

interface ControlOptions {
  path: string;
  calls: ControlCalls;
  log: Pick<Logger, "error">;
  timeoutMs?: number;
}

/** Rejects as `listenOnSocket` does. */
export async function openControlServer({
  path,
  calls,
  log,
  timeoutMs = CONTROL_TIMEOUT_MS,
}: ControlOptions): Promise<ControlServer> {
  const limits = {
    maxHeaderSize: MAX_CONTROL_HEAD_BYTES,
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: timeoutMs / 4,
  };
  const server = createServer(limits, (req, res) => {
    const end = (status: number, value: unknown) => {
      // A call takes its time, and its answer does not.
      res.socket?.setTimeout(server.timeout);
      send(res, status, value);
    };
    answer(req, res, calls).then(
      (value) => end(200, value),
      (thrown: unknown) => {
        const error = isInstance(thrown, AppError) ? thrown : undefined;
        if (error === undefined) log.error({ err: asError(thrown) }, "A command failed");
        const { code, message } = error ?? FAULT;
        end(STATUS[code] ?? 500, { error: { code, message } });
      },
    );
  });
  server.maxConnections = MAX_CONTROL_CONNECTIONS;
  server.timeout = 2 * timeoutMs;
  await listenOnSocket(server, path);
  return { close: () => closeNow(server) };
}

const FAULT = { code: "INTERNAL", message: "The server failed. Its log says why." } as const;

function closeNow(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  calls: ControlCalls,
): Promise<unknown> {
  const [, version, name = ""] = (req.url ?? "").split("/");
  const call = calls.get(name);
  if (version !== CONTROL_VERSION || req.method !== "POST" || call === undefined) {
    throw new AppError(
      "BAD_REQUEST",
      `The server does not know this command: it speaks ${CONTROL_VERSION}. Run the command of the version that the server runs.`,
    );
  }
  const body = parseJson(await bodyOf(req));
  const gone = new AbortController();
  res.once("close", () => gone.abort(new AppError("UNAVAILABLE", "The command has ended.")));
  res.socket?.setTimeout(0);
  return call(body, gone.signal);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError("BAD_REQUEST", "The body is no JSON.");
  }
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_CONTROL_BODY_BYTES) {
      throw new AppError(
        "BAD_REQUEST",
        `The body has more than ${MAX_CONTROL_BODY_BYTES} bytes, the limit.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** One call a connection: no input of a command that was refused half-way is read as the next request. */
function send(res: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  res.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  });
  res.end(body);
}
