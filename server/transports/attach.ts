/** All transports below a path of another program's HTTP server. */
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { Server as SecureServer } from "node:https";
import { isBelow } from "./base-path.ts";
import { discardBody } from "./requests/body.ts";
import { own, ownedPaths } from "./divided-server.ts";
import type { Handler } from "./handler.ts";
import { refuse, refuseUpgrade } from "./requests/refusals.ts";
import type { Absence } from "./unavailable.ts";

/** A path of a server, which this Jobwire has from its call of `attach` on, before it can serve. */
export interface Claim {
  /** `/jobs`, or "": the whole server. */
  readonly basePath: string;
  /** True if the server speaks TLS itself. */
  readonly isSecure: boolean;
  /** Requests go to the handler from now on. */
  open(handler: Handler): void;
  /** Requests are answered as those of a Jobwire that is closed, until another one claims the path. */
  close(): void;
  /** Requests go to the program, as if nothing had been claimed. */
  giveBack(): void;
}

/** Throws `TypeError`, which says why, where nothing can be attached. */
function assertAttachable(server: unknown, basePath: string): asserts server is Server {
  if (isOfHttp2(server)) {
    throw new TypeError(
      "`attach` takes no server of node:http2, nor one with `allowHTTP1`: Jobwire speaks HTTP/1.1. Attach it to a server of node:http or node:https, and put a proxy in front that speaks HTTP/2.",
    );
  }
  if (!(server instanceof Server || server instanceof SecureServer)) {
    throw new TypeError(
      "`attach` takes a server of node:http or node:https: what `createServer` or Express's `app.listen` returns, Fastify's `app.server`, or what Hono's `serve` returns.",
    );
  }
  for (const other of ownedPaths(server)) {
    if (isBelow(other, basePath) || isBelow(basePath, other)) {
      throw new TypeError(
        `Another Jobwire has the path "${other || "/"}" of this server. Choose a \`basePath\` beside it, or close the other one first.`,
      );
    }
  }
}

/** Node exports no class of it. */
function isOfHttp2(server: unknown): boolean {
  return typeof server === "object" && server !== null && "updateSettings" in server;
}

/** `answerIn`: the answers of a Jobwire that cannot serve. Throws `TypeError` where nothing can be attached. */
export function claim(
  server: unknown,
  basePath: string,
  answerIn: Readonly<Record<Absence, Handler>>,
): Claim {
  assertAttachable(server, basePath);
  const path = own(server, basePath, answerIn.starting);
  return {
    basePath,
    isSecure: server instanceof SecureServer,
    open: path.serve,
    close: () => path.leave(answerIn.closed),
    giveBack: path.giveBack,
  };
}

export interface Attachment {
  /** Takes no more requests. Resolves when those under way are answered; cuts them off after `ms`. */
  detach(ms: number): Promise<void>;
}

export function attach(
  path: Pick<Claim, "open" | "close">,
  handler: Handler,
  {
    refusal,
    onRequest,
  }: {
    /** Says why this server does not answer a request at all; `undefined` where it does. */
    refusal: (req: IncomingMessage) => string | undefined;
    onRequest: (req: IncomingMessage, res: ServerResponse) => void;
  },
): Attachment {
  const answering = new Set<ServerResponse>();

  path.open({
    request(req, res) {
      answering.add(res);
      res.once("close", () => answering.delete(res));
      onRequest(req, res);
      const reason = refusal(req);
      if (reason === undefined) return handler.request(req, res);
      discardBody(req);
      refuse(res, 403, { type: "text/plain; charset=utf-8", text: `${reason}\n` });
    },
    upgrade(req, socket, head) {
      const reason = refusal(req);
      if (reason === undefined) return handler.upgrade(req, socket, head);
      socket.on("error", () => socket.destroy());
      refuseUpgrade(socket, 403, reason);
    },
    expectation: handler.expectation,
  });

  return {
    async detach(ms) {
      path.close();
      const cutOff = setTimeout(() => answering.forEach((res) => res.destroy()), ms);
      await Promise.all(
        [...answering].map(
          (res) => new Promise<void>((resolve) => res.once("close", () => resolve())),
        ),
      );
      clearTimeout(cutOff);
    },
  };
}
