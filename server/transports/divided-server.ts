/**
 * Divides an HTTP server of another program: requests and upgrades below certain paths go to their owners, all others are left
 * alone. Frameworks add and remove listeners at any time, so the server's events are divided before any listener sees them.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { withoutBase } from "./base-path.ts";
import type { Handler } from "./handler.ts";
import { reduceTarget } from "./target.ts";

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
    for (const [basePath, handler] of owners) {
      const url = withoutBase(req.url, basePath);
      if (url !== undefined) return { url, handler };
    }
    return undefined;
  };

  /** Reduces the address of a request to what is below its owner's path. */
  function take(req: IncomingMessage): Handler | undefined {
    const target = req.url;
    reduceTarget(req);
    const owner = ownerOf(req);
    req.url = owner?.url ?? target;
    return owner?.handler;
  }

  // Node emits upgrades only where there is a listener.
  server.on("upgrade", () => undefined);
  const hasOtherUpgrades = () => server.listenerCount("upgrade") > 1;
  const callbacks = server as WithUpgradeCallback;
  const mayUpgrade = callbacks.shouldUpgradeCallback;
  if (mayUpgrade !== undefined) {
    callbacks.shouldUpgradeCallback = (req) =>
      ownerOf(req) === undefined
        ? hasOtherUpgrades() && mayUpgrade.call(server, req)
        : req.headers.upgrade?.toLowerCase() === "websocket";
  }

  const emit = server.emit.bind(server) as Emit;
  const emitDivided: Emit = (event, ...args) => {
    if (!DIVIDED.has(event)) return emit(event, ...args);
    const [req, second, head] = args as [IncomingMessage, ServerResponse & Duplex, Buffer];
    const handler = take(req);
    if (handler === undefined) {
      // Before Node 24.9 each upgrade is emitted, and the socket would stay open without an answer.
      if (event === "upgrade" && !hasOtherUpgrades()) second.destroy();
      return emit(event, ...args);
    }
    if (event === "upgrade") handler.upgrade(req, second, head);
    else if (event === "checkExpectation") handler.expectation(req, second);
    else {
      if (event === "checkContinue") second.writeContinue();
      handler.request(req, second);
    }
    return true;
  };
  server.emit = emitDivided as typeof server.emit;
  return owners;
}

const DIVIDED: ReadonlySet<string | symbol> = new Set([
  "request",
  "upgrade",
  "checkContinue",
  "checkExpectation",
]);
