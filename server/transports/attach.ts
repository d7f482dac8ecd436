/** All transports below a path of another program's HTTP server. */
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { Server as SecureServer } from "node:https";
import { discardBody } from "./body.ts";
import { own, ownedPaths } from "./divided-server.ts";
import type { Handler } from "./handler.ts";
import { refuse, refuseUpgrade } from "./refusals.ts";

export interface Attachment {
  /** Takes no more requests. Resolves when those under way are answered; cuts them off after `ms`. */
  detach(ms: number): Promise<void>;
}

/** Throws `TypeError`, which says why, where nothing can be attached. */
export function assertAttachable(server: unknown, basePath: string): asserts server is Server {
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

function isBelow(path: string, base: string): boolean {
  return `${path}/`.startsWith(`${base}/`);
}

export function attach(
  server: unknown,
  handler: Handler,
  {
    basePath,
    refusal,
    onRequest,
  }: {
    /** `/jobs`, or "": the whole server. */
    basePath: string;
    /** Says why this server does not answer a request at all; `undefined` where it does. */
    refusal: (req: IncomingMessage) => string | undefined;
    onRequest: (req: IncomingMessage, res: ServerResponse) => void;
  },
): Attachment {
  assertAttachable(server, basePath);
  const answering = new Set<ServerResponse>();

  const giveBack = own(server, basePath, {
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
      giveBack();
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
