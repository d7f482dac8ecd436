/**
 * Limits the open connections of an address. A connection counts from its first byte for the address of its peer. The
 * connections of a trusted proxy carry requests of many clients, so each request and each upgraded connection counts instead,
 * for the address that the proxy tells.
 *
 * A connection beyond the limit stays open for one answer, which tells its client why.
 */
import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Limits, Release } from "#server/limits/open.ts";
import { AppError } from "#shared/errors.ts";

/** Connections of an address that wait for such an answer; the server closes further ones at once. */
const MAX_REFUSED_CONNECTIONS = 8;
const REFUSED_MS = 5000;

export interface AddressLimit {
  /**
   * The error of a request beyond the limit. One that is not beyond it counts until `lasting`, its response or its upgraded
   * socket, emits `close`; without `lasting` its transport counts what it belongs to.
   */
  refusal(req: IncomingMessage, lasting: EventEmitter | undefined): AppError | undefined;
}

/** In the server of another program, whose connections carry its own requests too: each request counts, as behind a proxy. */
export function limitRequests({ addresses, openForAddress }: Limits): AddressLimit {
  return {
    refusal(req, lasting) {
      addresses.notice(req);
      if (lasting === undefined) return undefined;
      const counted = openForAddress("address_connections", addresses.keyOf(req));
      if (counted instanceof AppError) return counted;
      lasting.once("close", counted);
      return undefined;
    },
  };
}

export function limitAddresses(server: Server, limits: Limits): AddressLimit {
  const { addresses } = limits;
  /** What takes back connections beyond the limit, by their peers. With TLS, requests have another socket object. */
  const refused = new Map<string, (release: Release) => void>();
  const refusedOf = new Map<string, number>();

  function count(address: string): Release | AppError {
    return limits.openForAddress("address_connections", address);
  }

  server.on("connection", (socket: Socket) => {
    if (addresses.isProxy(socket)) return;
    const address = addresses.keyOf({ headers: {}, socket });
    const counted = count(address);
    if (!(counted instanceof AppError)) return void socket.once("close", counted);
    const waiting = refusedOf.get(address) ?? 0;
    if (waiting >= MAX_REFUSED_CONNECTIONS) return void socket.destroy();
    refusedOf.set(address, waiting + 1);
    const peer = peerOf(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSED_MS).unref();
    const forget = () => {
      if (!refused.delete(peer)) return;
      clearTimeout(timer);
      const left = (refusedOf.get(address) ?? 1) - 1;
      if (left === 0) refusedOf.delete(address);
      else refusedOf.set(address, left);
    };
    socket.once("close", forget);
    refused.set(peer, (release) => {
      forget();
      socket.once("close", release);
    });
  });

  return {
    refusal(req, lasting) {
      const { socket } = req;
      addresses.notice(req);
      const isProxied = addresses.isProxy(socket);
      if (!isProxied && refused.size === 0) return undefined;
      const take = isProxied ? undefined : refused.get(peerOf(socket));
      if (isProxied ? lasting === undefined : take === undefined) return undefined;
      const counted = count(addresses.keyOf(req));
      if (counted instanceof AppError) return counted;
      // Others of this address have closed meanwhile.
      if (take !== undefined) take(counted);
      else lasting?.once("close", counted);
      return undefined;
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
