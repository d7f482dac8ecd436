/** The ticket in the address of a subscription over HTTP: `/trpc/job.onUpdate?input=…&ticket=…`. */
import type { IncomingMessage } from "node:http";
import type { TRPCError } from "@trpc/server";
import type { Credentials } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import { toTRPCError } from "./errors.ts";

/** A call of a request, as tRPC reads it. */
export interface Call {
  path: string;
  getRawInput(): Promise<unknown>;
}

/** Returns the refusal for a ticket in the address of another request: it would stay usable, and stand in logs. */
export async function ticketIn(
  { url = "" }: Pick<IncomingMessage, "url">,
  { calls, type }: { calls: readonly Call[]; type: string },
): Promise<Credentials["ticket"] | TRPCError> {
  const at = url.indexOf("?");
  const tickets = at === -1 ? [] : new URLSearchParams(url.slice(at)).getAll("ticket");
  const [text] = tickets;
  if (text === undefined) return undefined;
  const [call] = calls;
  if (call === undefined || calls.length > 1 || tickets.length > 1 || type !== "subscription") {
    return toTRPCError(new AppError("UNAUTHENTICATED", "A ticket opens one subscription alone."));
  }
  try {
    return { text, target: { path: call.path, input: await call.getRawInput() } };
  } catch (error) {
    return toTRPCError(error);
  }
}
