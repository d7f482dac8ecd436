/** Reads the inputs of requests over HTTP, before tRPC does. */
import type { IncomingMessage } from "node:http";
import { discardBody } from "#server/transports/requests/body.ts";
import { checkAddress, NotText } from "#server/transports/requests/request-text.ts";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import { hasOwnCredentials } from "./callers.ts";
import { notText, readJsonBody } from "./request-body.ts";

/**
 * Ensures that the input is text. Reads the body into `req.body`, where tRPC looks for a body that was already read.
 * `refusalOf` says why the caller is not known, if it is not: then the server reads no large body.
 */
export function createGiveInput(refusalOf: (req: IncomingMessage) => Promise<unknown>) {
  async function bodyOf(req: IncomingMessage): Promise<string | undefined> {
    const refusal = mayBeLarge(req) ? await refusalOf(req) : undefined;
    if (refusal !== undefined) throw refusal;
    return readJsonBody(req);
  }

  return function giveInput(req: IncomingMessage, next: (error?: unknown) => void): void {
    if (req.method === "GET" || req.method === "HEAD") {
      // A GET has no body, but tRPC would choose a body parser by this header.
      delete req.headers["content-type"];
      return next(faultOf(req.url ?? ""));
    }
    bodyOf(req).then(
      (body) => {
        // `undefined`: the client has left, so there is no answer.
        if (body !== undefined) next(void Object.assign(req, { body }));
      },
      (error: unknown) => {
        Object.assign(req, { body: "" });
        discardBody(req);
        next(error);
      },
    );
  };
}

function mayBeLarge({ method, headers, url = "" }: IncomingMessage): boolean {
  if (method !== "POST" || hasOwnCredentials({ url })) return false;
  const length = Number(headers["content-length"] ?? Number.POSITIVE_INFINITY);
  // A smaller body costs less than to find out who the caller is, where the limits do not ask for that first.
  return !(length <= MAX_STRANGER_BYTES);
}

function faultOf(url: string): unknown {
  try {
    checkAddress(url);
    return undefined;
  } catch (error) {
    return error instanceof NotText ? notText(error) : error;
  }
}
