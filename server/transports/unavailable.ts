/** Answers below the path of a Jobwire that is not open yet, or that has closed: try again. */
import { retryAfterSeconds } from "#shared/errors.ts";
import { discardBody } from "./requests/body.ts";
import type { Handler } from "./handler.ts";
import { answerRaw, type Body, refuse } from "./requests/refusals.ts";

export type Absence = "starting" | "closed";

const MESSAGE: Record<Absence, string> = {
  starting: "Jobwire is starting. Try again.",
  closed: "Jobwire is closed. Try again when it has started.",
};
const RETRY_AFTER_MS = 1000;

/** How the clients of some paths read an answer. */
export interface Encoder {
  /** `/trpc`: the path, and all below it. */
  path: string;
  type: string;
  encode: (status: number, message: string, retryAfterMs: number) => string;
}

/** `encoders`: of the clients that read JSON. Others get the message as plain text. */
export function createUnavailable(absence: Absence, encoders: readonly Encoder[]): Handler {
  const message = MESSAGE[absence];
  const text: Body = { type: "text/plain; charset=utf-8", text: `${message}\n` };
  const bodies = encoders.map(({ path, type, encode }) => ({
    path,
    body: { type, text: encode(503, message, RETRY_AFTER_MS) } satisfies Body,
  }));
  const bodyFor = (url = "/") => {
    const [asked = ""] = url.split("?", 1);
    const of = bodies.find(({ path }) => asked === path || asked.startsWith(`${path}/`));
    return of?.body ?? text;
  };
  const seconds = retryAfterSeconds(RETRY_AFTER_MS);

  const request: Handler["request"] = (req, res) => {
    discardBody(req);
    res.setHeader("Retry-After", seconds);
    res.setHeader("Cache-Control", "no-store");
    refuse(res, 503, bodyFor(req.url));
  };
  return {
    request,
    expectation: request,
    upgrade(req, socket) {
      socket.on("error", () => socket.destroy());
      answerRaw(socket, 503, bodyFor(req.url), [`Retry-After: ${seconds}`]);
    },
  };
}
