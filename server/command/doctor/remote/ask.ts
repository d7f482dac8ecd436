/** One request on a connection of its own, so that a proxy is free to choose another server each time. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestPlainly } from "node:http";
import { request as requestSecurely } from "node:https";
import { messageOf } from "#shared/errors.ts";
import { addressOf, type Target, tlsOptionsOf } from "./target.ts";

/** The rest of a longer answer is not read. */
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_BEGINNING_BYTES = 4096;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** From the request to the end of the answer. */
  ms: number;
}

export interface AskOptions {
  signal: AbortSignal;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** Does not follow redirects. Rejects if there is no answer. */
export async function ask(target: Target, path: string, options: AskOptions): Promise<Answer> {
  const sent = performance.now();
  const response = await openResponse(target, path, options);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the connection.
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString("utf8"),
    ms: performance.now() - sent,
  };
}

/** Resolves when the headers have come. The caller reads the body, or destroys it. */
export function openResponse(
  target: Target,
  path: string,
  { signal, method = "GET", headers, body }: AskOptions,
): Promise<IncomingMessage> {
  const address = addressOf(target, path);
  const request = address.protocol === "https:" ? requestSecurely : requestPlainly;
  return new Promise((resolve, reject) => {
    const call = request(address, {
      ...tlsOptionsOf(target),
      agent: false,
      signal,
      method,
      headers: { "user-agent": "jobwire-doctor", ...headers },
    });
    call.on("error", reject);
    call.once("response", resolve);
    call.once("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("the answer upgrades a request that asked for no upgrade"));
    });
    call.end(body);
  });
}

/** For a message. Ends the connection of a longer one. */
export async function beginningOf(response: IncomingMessage): Promise<string> {
  let body = "";
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      body += chunk.toString("latin1");
      if (body.length >= MAX_BEGINNING_BYTES) break;
    }
  } catch {
    // It ended early: what has come says enough.
  }
  return body;
}

/** OpenSSL's errors come with the lines of its source. */
export function whyBroken(error: unknown): string {
  const { reason } = error as { reason?: unknown };
  if (typeof reason === "string") return `TLS: ${reason}`;
  const message = messageOf(error);
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1]?.replace(/^/, "TLS: ") ?? message;
}
