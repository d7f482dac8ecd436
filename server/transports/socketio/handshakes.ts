/**
 * Counts Engine.IO sessions for the addresses of their clients: a polling session as a connection, because it holds none, and
 * every session as one of a stranger until it has joined.
 */
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Limits, Release } from "#server/limits/open.ts";
import { AppError } from "#shared/errors.ts";
import type { Connection } from "./connection-writer.ts";

export interface Handshakes {
  /**
   * Returns the error of a request that would open a session too many. Other requests pass. `closing`: the response, or the
   * socket of an upgrade.
   */
  refusal(req: IncomingMessage, closing: EventEmitter): AppError | undefined;
  /** The request has opened this session. */
  opened(connection: Connection): void;
  /** The session has joined: its caller is known. */
  joined(connection: Connection): void;
}

interface Counted {
  stranger: Release;
  connection: Release | undefined;
}

export function createHandshakes(limits: Limits): Handshakes {
  const asked = new WeakMap<IncomingMessage, Counted>();
  const strangers = new WeakMap<Connection, Release>();

  return {
    refusal(req, closing) {
      const query = new URLSearchParams(req.url?.split("?", 2)[1]);
      if (req.method === "OPTIONS" || query.has("sid")) return undefined;
      const address = limits.addresses.keyOf(req);
      const stranger = limits.openForAddress("address_unauthenticated", address);
      if (stranger instanceof AppError) return stranger;
      const isPolling = query.get("transport") !== "websocket";
      const connection = isPolling
        ? limits.openForAddress("address_connections", address)
        : undefined;
      if (connection instanceof AppError) {
        stranger();
        return connection;
      }
      const counted = { stranger, connection };
      asked.set(req, counted);
      // The session, which begins before its request is answered, keeps what it has taken.
      closing.once("close", () => release(asked, req));
      return undefined;
    },
    opened(connection) {
      const req = connection.request;
      const counted = asked.get(req);
      if (counted === undefined) return;
      asked.delete(req);
      strangers.set(connection, counted.stranger);
      connection.once("close", () => {
        counted.stranger();
        counted.connection?.();
      });
      // From then on it has a connection of its own.
      connection.once("upgrade", () => counted.connection?.());
    },
    joined: (connection) => strangers.get(connection)?.(),
  };
}

function release(asked: WeakMap<IncomingMessage, Counted>, req: IncomingMessage): void {
  const counted = asked.get(req);
  counted?.stranger();
  counted?.connection?.();
  asked.delete(req);
}
