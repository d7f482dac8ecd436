/** Reads one message of a connection, or tells its client why not. */
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { MESSAGE_TOO_BIG } from "#server/transports/sockets/close-codes.ts";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import type { Encoding } from "./ws-encoding.ts";
import type { Address, Received } from "./ws-format.ts";
import { type Item, MessageRefused, readMessage, tooLargeOfStranger } from "./ws-message.ts";

/** The parts of a connection that reading uses. */
export interface ReadPeer {
  readonly router: AnyTRPCRouter;
  tell(id: Address["id"], error: TRPCError): void;
  close(code: number, reason: string): void;
}

/** `stranger`: the error that answers each call of the caller, if it is not known. */
export function readOrRefuse(
  peer: ReadPeer,
  received: Received,
  { encoding, stranger }: { encoding: Encoding; stranger: TRPCError | undefined },
): readonly Item[] {
  if (stranger !== undefined && received.length > MAX_STRANGER_BYTES) {
    const id = encoding.idIn(received);
    peer.tell(id, stranger);
    // It may hold several requests, whose client learns only by the end of the connection that they get no answer.
    if (id === null) peer.close(MESSAGE_TOO_BIG, tooLargeOfStranger().message);
    return [];
  }
  try {
    return readMessage(encoding.decode(received), peer.router._def._config);
  } catch (cause) {
    if (cause instanceof MessageRefused) refuse(peer, cause);
    else peer.tell(null, new TRPCError({ code: "PARSE_ERROR", cause }));
    return [];
  }
}

function refuse(peer: ReadPeer, refused: MessageRefused): void {
  const { id, message, ofSeveral } = refused;
  peer.tell(id, new TRPCError({ code: "BAD_REQUEST", message, cause: refused }));
  if (ofSeveral) peer.close(MESSAGE_TOO_BIG, message);
}
