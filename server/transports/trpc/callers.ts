/** Finds out who sent a request to tRPC. */
import type { IncomingMessage } from "node:http";
import type { TRPCError } from "@trpc/server";
import type { Caller, Credentials, TransportContext } from "#server/transports/contract.ts";
import { toTRPCError } from "./errors.ts";

/** Credentials that only tRPC reads, from the address. */
interface OwnCredentials {
  params?: Record<string, unknown> | null;
  ticket?: Credentials["ticket"];
}

export interface Callers {
  /** The caller by the headers alone. Asks once for each request. */
  byHeaders(req: IncomingMessage): Promise<Caller | TRPCError>;
  /** The caller, or the reason why there is none. */
  of(req: IncomingMessage, own: OwnCredentials): Promise<Caller | TRPCError>;
}

export function createCallers({
  identify,
  limits,
}: Pick<TransportContext, "identify" | "limits">): Callers {
  const known = new WeakMap<IncomingMessage, Promise<Caller | TRPCError>>();

  function ask(
    req: IncomingMessage,
    { params, ticket }: OwnCredentials,
  ): Promise<Caller | TRPCError> {
    const token = typeof params?.token === "string" ? params.token : undefined;
    const address = limits?.addresses.keyOf(req);
    return identify({ headers: req.headers, token, ticket, address }).catch(toTRPCError);
  }

  function byHeaders(req: IncomingMessage): Promise<Caller | TRPCError> {
    let asked = known.get(req);
    if (asked === undefined) known.set(req, (asked = ask(req, {})));
    return asked;
  }

  return {
    byHeaders,
    of: (req, own) => (own.params || own.ticket !== undefined ? ask(req, own) : byHeaders(req)),
  };
}

/** True if the address may carry credentials beside those of the headers. */
export function hasOwnCredentials({ url = "" }: Pick<IncomingMessage, "url">): boolean {
  return url.includes("connectionParams=") || url.includes("ticket=");
}
