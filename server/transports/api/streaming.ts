/** The checks before a stream: who asks, what it may, how many it has open. The same for SSE and WebSockets. */
import type { IncomingMessage } from "node:http";
import { refusalFor, PROCEDURES } from "#server/auth/permissions.ts";
import type { Stream } from "#server/streams/open.ts";
import { msToEnd } from "#server/transports/callers/credential-end.ts";
import type { DeadlineOwner, Deadlines } from "#server/transports/callers/deadlines.ts";
import { endWithCredential, type Lasting } from "#server/transports/callers/end-with-credential.ts";
import type { Caller, TransportContext } from "#server/transports/contract.ts";
import { countCall } from "#server/transports/limits/count-call.ts";
import { releaseOnClose } from "#server/transports/limits/until-close.ts";
import { Call } from "./call.ts";
import { cursorOf } from "./cursor.ts";
import { inputOfAddress, ticketIn } from "./input.ts";
import type { Field } from "./input-fields.ts";
import type { Streaming } from "./route.ts";

/** A request for a stream. */
export interface Asked {
  req: IncomingMessage;
  stream: Streaming;
  fields: readonly Field[];
  query: URLSearchParams;
  params: Readonly<Record<string, string>>;
  /** Of a client that cannot set headers. */
  token?: string | undefined;
}

export interface Opened {
  caller: Caller;
  /** The position that the client has. */
  after: number;
  /** Absent: the client was told that the stream is complete, and still is. */
  stream?: Stream<unknown>;
}

/**
 * The input of a stream. The header wins: an `EventSource` sends it when it comes back to the address that it was opened with.
 * Throws `ZodError` or `RequestFault`.
 */
export function readStreamInput({ req, stream, fields, query, params }: Asked) {
  const given = inputOfAddress({ query, params }, fields);
  const id = req.headers["last-event-id"] ?? given.lastEventId;
  const { cursor, isOver } = typeof id === "string" ? cursorOf(id) : { cursor: id, isOver: false };
  const input = stream.input.parse({ ...given, lastEventId: cursor }) as {
    follow?: boolean;
    lastEventId?: string | null;
  };
  const after = Number(input.lastEventId ?? 0);
  return { input, after, isOver: isOver && input.follow !== true };
}

export interface Opener {
  context: TransportContext;
  deadlines: Deadlines;
  targetOf: Call["targetOf"];
}

/**
 * Rejects as the services do. The stream counts for its user until `lasting` closes. `isGone`: the client has left while the
 * server found out who it is.
 */
export async function openStream(
  { context, targetOf }: Opener,
  asked: Asked,
  lasting: Lasting,
): Promise<Opened> {
  const { req, stream, query, token } = asked;
  const { limits } = context;
  const { input, after, isOver } = readStreamInput(asked);
  const text = ticketIn(query);
  const caller = await context.identify({
    headers: req.headers,
    token,
    ticket: text === undefined ? undefined : { text, target: { path: stream.procedure, input } },
    address: limits?.addresses.keyOf(req),
  });
  const refusal = refusalFor(caller.principal, PROCEDURES, stream.procedure);
  if (refusal !== undefined) throw refusal;
  await countCall(limits, caller.principal);
  if (isOver) return { caller, after };
  for (const name of ["user_connections", "user_subscriptions"] as const) {
    const release = await limits?.openForUser(name, caller.principal);
    if (release !== undefined) releaseOnClose(lasting, release);
  }
  const call = new Call(context, caller, targetOf);
  return { caller, after, stream: await stream.open(call, input) };
}

/**
 * Ends the connection with the credential of its caller: `owner` is told at its time, `lasting` destroyed before it. Delete the
 * owner's deadline when the connection closes.
 */
export function endWithCaller(
  { context, deadlines }: Opener,
  caller: Caller,
  lasting: Lasting & { readonly closed?: boolean },
  owner: DeadlineOwner,
): void {
  endWithCredential(context, caller, lasting);
  const ms = msToEnd(caller, context.clock);
  if (ms === undefined || lasting.destroyed === true) return;
  deadlines.set(owner, ms);
}
