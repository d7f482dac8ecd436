/**
 * Divides an HTTP server of another program: requests and upgrades below certain paths go to their owners, all others are left
 * alone. Frameworks add and remove listeners at any time, so the server's events are divided before any listener sees them.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { withoutBase } from "./base-path.ts";
import type { Handler } from "./handler.ts";
import { reducedTarget } from "./target.ts";

/** The server's own callback, which Node has from version 24.9 on. */
interface WithUpgradeCallback {
  shouldUpgradeCallback?: (req: IncomingMessage) => boolean;
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

const divided = new WeakMap<Server, Map<string, Handler>>();

/** The paths of a server that have an owner. */
export function ownedPaths(server: Server): string[] {
  return [...(divided.get(server)?.keys() ?? [])];
}

/** From now on requests below `basePath`, which has no owner, go to this handler. Returns what gives them back. */
export function own(server: Server, basePath: string, handler: Handler): () => void {
  const owners = divided.get(server) ?? divide(server);
  owners.set(basePath, handler);
  return () => void owners.delete(basePath);
}

/** Once divided, a server stays so: without owners it does what it did before. */
function divide(server: Server): Map<string, Handler> {
  const owners = new Map<string, Handler>();
  divided.set(server, owners);

  const ownerOf = (req: IncomingMessage): { url: string; handler: Handler } | undefined => {
    const target = reducedTarget(req);
    for (const [basePath, handler] of owners) {
      const url = withoutBase(target, basePath);
      if (url !== undefined) return { url, handler };
    }
    return undefined;
  };
  /** Of each connection. The answer to an earlier request would mix with the frames of an upgraded connection. */
  const newest = new WeakMap<Duplex, ServerResponse>();

  // Node emits upgrades only where there is a listener. Programs may remove it with their own.
  const listen = () => {
    if (!server.listeners("upgrade").includes(takeNone)) server.on("upgrade", takeNone);
  };
  const hasOtherUpgrades = () => server.listeners("upgrade").some((other) => other !== takeNone);
  listen();
  const callbacks = server as WithUpgradeCallback;
  const mayUpgrade = callbacks.shouldUpgradeCallback;
  if (mayUpgrade !== undefined) {
    callbacks.shouldUpgradeCallback = (req) => {
      if (ownerOf(req) === undefined) return hasOtherUpgrades() && mayUpgrade.call(server, req);
      listen();
      return req.headers.upgrade?.toLowerCase() === "websocket";
    };
  }

  const emit = server.emit.bind(server) as Emit;
  const emitDivided: Emit = (event, ...args) => {
    if (!DIVIDED.has(event)) return emit(event, ...args);
    const [req, second, head] = args as [IncomingMessage, ServerResponse & Duplex, Buffer];
    const owner = ownerOf(req);
    const isUpgrade = event === "upgrade";
    const isBehindAnother = isUpgrade && newest.get(req.socket)?.writableFinished === false;
    if (!isUpgrade) newest.set(req.socket, second);
    if (owner === undefined) {
      // Before Node 24.9 each upgrade is emitted, and the socket would stay open without an answer.
      if (isUpgrade && !hasOtherUpgrades()) second.destroy();
      return emit(event, ...args);
    }
    const { url, handler } = owner;
    req.url = url;
    if (isBehindAnother) second.destroy();
    else if (isUpgrade) handler.upgrade(req, second, head);
    else {
      inTurn(second, () => {
        if (event === "checkExpectation") return handler.expectation(req, second);
        if (event === "checkContinue") second.writeContinue();
        handler.request(req, second);
      });
    }
    return true;
  };
  server.emit = emitDivided as typeof server.emit;
  return owners;
}

function takeNone(): void {}

const DIVIDED: ReadonlySet<string | symbol> = new Set([
  "request",
  "upgrade",
  "checkContinue",
  "checkExpectation",
]);

/**
 * Begins with a request when those before it on its connection are answered. Node gives a response its socket then; one that
 * never gets it, because the client left, emits no `close`, and what counts it would count it for ever.
 */
function inTurn(res: ServerResponse, begin: () => void): void {
  if (res.socket === null) res.once("socket", begin);
  else begin();
}
