/** WebSockets whose callers are not known yet, and the addresses that they count for. */
import type { IncomingMessage } from "node:http";
import type { Duplex, Writable } from "node:stream";
import type { Limits, Release } from "#server/limits/open.ts";
import { AppError } from "#shared/errors.ts";
import { releaseOnClose } from "./until-close.ts";

export interface Strangers {
  /** Counts a new connection. Returns the error if its address has too many. */
  add(req: IncomingMessage, socket: Duplex): AppError | undefined;
  /** The caller is known now. */
  identified(socket: Writable): void;
  /** The address that refused credentials of a connection count for. */
  addressOf(socket: Writable): string | undefined;
}

export function createStrangers(limits: Limits): Strangers {
  const known = new WeakMap<Writable, { address: string; release: Release }>();
  return {
    add(req, socket) {
      const address = limits.addresses.keyOf(req);
      const release = limits.openForAddress("address_unauthenticated", address);
      if (release instanceof AppError) return release;
      known.set(socket, { address, release });
      releaseOnClose(socket, release);
      return undefined;
    },
    identified: (socket) => known.get(socket)?.release(),
    addressOf: (socket) => known.get(socket)?.address,
  };
}
