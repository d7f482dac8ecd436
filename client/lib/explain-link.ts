/** Tells what is wrong where no Jobwire answered, or one without the kind: tRPC passes on the words of parsers and of `fetch`. */
import { TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";
import { fieldOf, messageOf } from "#shared/errors.ts";

type Failure = TRPCClientError<ApiRouter>;

/** `url`: the server's. The errors keep their data and their cause. */
export function explainLink(url: string): TRPCLink<ApiRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) =>
        next(op).subscribe({
          next: (value) => observer.next(value),
          complete: () => observer.complete(),
          error: (error) => observer.error(explained(error, op.path, url)),
        }),
      );
}

function explained(error: Failure, path: string, url: string): Failure {
  const text = error.shape == null ? whyNoAnswer(error, url) : whyNotFound(error, path, url);
  return text === undefined ? error : withMessage(error, text);
}

function withMessage({ shape, meta, cause }: Failure, message: string): Failure {
  return new TRPCClientError<ApiRouter>(message, {
    ...(shape != null && { result: { error: { ...shape, message } } }),
    ...(meta !== undefined && { meta }),
    ...(cause !== undefined && { cause }),
  });
}

/** Of an answer that is not tRPC's, or of none. `undefined` for a call that its caller aborted. */
function whyNoAnswer(error: Failure, url: string): string | undefined {
  // tRPC keeps the response only where it had JSON.
  if (error.meta?.response !== undefined || error.cause instanceof SyntaxError) {
    return (
      `The answer of ${url} is not Jobwire's, but another server's or a proxy's. ` +
      "Check the client's url: the server's address with its base path, and without /trpc."
    );
  }
  const { cause } = error;
  if (fieldOf(cause, "name") === "AbortError") return undefined;
  const code = fieldOf(fieldOf(cause, "cause"), "code");
  const why = typeof code === "string" ? code : messageOf(error);
  const advice = "Check that the server runs and that the client's url is its address";
  return `${url === "" ? "The client's url is empty and" : url} cannot be reached (${why}). ${advice}${otherOrigin(url)}.`;
}

/** Browsers do not tell a page that it was CORS. */
function otherOrigin(url: string): string {
  const page = typeof location === "undefined" ? undefined : location.origin;
  if (page === undefined || URL.parse(url)?.origin === page) return "";
  return `, and that the server's CORS_ORIGINS has ${page}`;
}

/** tRPC's message of a procedure that the server lacks. */
const NO_PROCEDURE = /^No procedure found on path "(.*)"$/;

function whyNotFound(error: Failure, path: string, url: string): string | undefined {
  const asked = NO_PROCEDURE.exec(error.message)?.[1];
  if (asked === undefined) return undefined;
  // In a batch of calls, the address of the request has several paths.
  if (!asked.split(",").includes(path)) {
    return `${url} is an address within Jobwire's. Check the client's url: the server's address with its base path, and without /trpc.`;
  }
  const [router, kind, procedure] = path.split(".");
  if (router !== "kinds" || procedure === undefined) {
    return `The server at ${url} has no procedure "${path}". It may be older than this client.`;
  }
  return `The server at ${url} has no kind "${kind}". The procedure kind.list tells those that it has.`;
}
