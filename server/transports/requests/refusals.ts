/** Answers requests that the server refuses before they reach a transport. */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { AppError, retryAfterSeconds } from "#shared/errors.ts";
import type { Transport } from "#server/transports/contract.ts";

export interface Body {
  type: string;
  text: string;
}

/**
 * Encodes the message in the form that the clients of this transport read. `retryAfterMs` belongs to the status 429.
 */
export function bodyOf(
  transport: Transport | undefined,
  status: number,
  message: string,
  retryAfterMs?: number,
): Body {
  const json = transport?.refusal?.(status, message, retryAfterMs);
  return json === undefined
    ? { type: "text/plain; charset=utf-8", text: `${message}\n` }
    : { type: transport?.refusalType ?? "application/json", text: json };
}

export function refuse(res: ServerResponse, status: number, { type, text }: Body): void {
  res.writeHead(status, { "Content-Type": type }).end(text);
}

/** Tells when a limited call may be repeated. Has no effect for other errors. */
export function setRetryAfter(res: ServerResponse, error: unknown): void {
  if (!(error instanceof AppError) || error.retryAfterMs === undefined) return;
  res.setHeader("Retry-After", retryAfterSeconds(error.retryAfterMs));
}

/** Answers a request beyond a limit. */
export function refuseLimited(
  res: ServerResponse,
  error: AppError,
  transport: Transport | undefined,
): void {
  setRetryAfter(res, error);
  refuse(res, 429, bodyOf(transport, 429, error.message, error.retryAfterMs));
}

/** Answers an upgrade beyond a limit. */
export function refuseLimitedUpgrade(
  socket: Duplex,
  error: AppError,
  transport: Transport | undefined,
): void {
  const { message, retryAfterMs = 0 } = error;
  const headers = [`Retry-After: ${retryAfterSeconds(retryAfterMs)}`];
  answerRaw(socket, 429, bodyOf(transport, 429, message, retryAfterMs), headers);
}

export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  answerRaw(socket, status, bodyOf(undefined, status, message));
}

/** Answers without a `ServerResponse`, and ends the connection. */
export function answerRaw(
  socket: Duplex,
  status: number,
  { type, text }: Body,
  headers: readonly string[] = [],
): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...headers,
  ];
  // The peer may never close its half of the connection.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`);
}
