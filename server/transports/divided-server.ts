/**
 * Divides an HTTP server of another program: requests and upgrades below certain paths go to their owners, all others are left
 * alone. Frameworks add and remove listeners at any time, so the server's events are divided before any listener sees them.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isBelow, withoutBase } from "./base-path.ts";
import {
  offersWebSocket,
  serveWithoutUpgrade,
  type WithUpgradeCallback,
} from "./declined-upgrade.ts";
import type { Handler } from "./handler.ts";
import { reducedTarget } from "./requests/target.ts";

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** A part of a server: the requests and upgrades below a path. */
interface Part {
  handler: Handler;
  /** False: its owner has left, and another may take it. */
  isOwned: boolean;
}

/** The ways in which an owner treats its path. */
export interface OwnPath {
  /** Requests go to this handler from now on. */
  serve(handler: Handler): void;
  /** Requests go to this handler until another owner takes the path. */
  leave(handler: Handler): void;
  /** Requests go to the program again. */
  giveBack(): void;
}

/** Of one server. A program that attaches at ever new paths gets the oldest back. */
export const MAX_LEFT_PATHS = 100;

const divided = new WeakMap<Server, Map<string, Part>>();

/** The paths of a server that have an owner. */
export function ownedPaths(server: Server): string[] {
  const parts = [...(divided.get(server) ?? [])];
  return parts.filter(([, { isOwned }]) => isOwned).map(([path]) => path);
}

/** From now on requests below `basePath` go to this handler. No path above or below it may have an owner. */
export function own(server: Server, basePath: string, handler: Handler): OwnPath {
  const parts = divided.get(server) ?? divide(server);
  for (const path of parts.keys()) {
    if (isBelow(path, basePath) || isBelow(basePath, path)) parts.delete(path);
  }
  const part: Part = { handler, isOwned: true };
  parts.set(basePath, part);
  return {
    serve: (next) => void (part.handler = next),
    leave(last) {
      part.handler = last;
      part.isOwned = false;
      const left = [...parts].filter(([, { isOwned }]) => !isOwned);
      for (const [path] of left.slice(0, -MAX_LEFT_PATHS)) parts.delete(path);
    },
    giveBack() {
      if (parts.get(basePath) === part) parts.delete(basePath);
    },
  };
}

/** Once divided, a server stays so: without owners it does what it did before. */
function divide(server: Server): Map<string, Part> {
  const parts = new Map<string, Part>();
  divided.set(server, parts);

  const ownerOf = (req: IncomingMessage): { url: string; handler: Handler } | undefined => {
    const target = reducedTarget(req);
    for (const [basePath, { handler }] of parts) {
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
      return offersWebSocket(req);
    };
  }

  const emit = server.emit.bind(server) as Emit;
  const emitDivided: Emit = (event, ...args) => {
    // Where Node does not ask, it looks at the listeners when a request arrives.
    if (mayUpgrade === undefined && (event === "connection" || event === "request")) listen();
    if (!DIVIDED.has(event)) return emit(event, ...args);
    const [req, second, head] = args as [IncomingMessage, ServerResponse & Duplex, Buffer];
    const owner = ownerOf(req);
    const isUpgrade = event === "upgrade";
    const isBehindAnother = isUpgrade && newest.get(req.socket)?.writableFinished === false;
    if (!isUpgrade) newest.set(req.socket, second);
    // Where Node does not ask, each offer of an upgrade arrives here.
    const isOffer = isUpgrade && mayUpgrade === undefined;
    if (isOffer && (owner === undefined ? !hasOtherUpgrades() : !offersWebSocket(req))) {
      if (isBehindAnother) second.destroy();
      else serveWithoutUpgrade(server, req, { socket: second, head });
      return true;
    }
    if (owner === undefined) return emit(event, ...args);
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
  return parts;
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
