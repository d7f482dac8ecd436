/** The caller, the kinds and the server. */
import { z } from "zod";
import { msLeft } from "#server/transports/callers/credential-end.ts";
import { MAX_TICKET_PATH_CHARS } from "#shared/limits.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

const Nothing = z.object({});
/** The path of a stream below that of the API, with its query: `/jobs/…/events?follow=true`. */
const TicketAsked = z.object({ path: z.string().max(MAX_TICKET_PATH_CHARS) });

export const SERVER_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/me",
    operationId: "getCaller",
    summary: "Read who the caller is, and what the credentials grant",
    tag: "Server",
    answer: {
      procedure: "auth.me",
      input: Nothing,
      status: 200,
      output: ANSWERS.Caller,
      run: ({ caller, context }) => ({
        ...caller.principal,
        expiresInMs: msLeft(caller, context.clock),
      }),
    },
  }),
  route({
    method: "POST",
    path: "/tickets",
    operationId: "createTicket",
    summary: "Make a ticket that opens one stream, for clients that cannot send a header",
    tag: "Server",
    answer: {
      procedure: "auth.ticket",
      input: TicketAsked,
      status: 201,
      output: ANSWERS.Ticket,
      run: ({ caller, sharing, targetOf }, { path }) => sharing.issueTicket(caller, targetOf(path)),
      secret: true,
    },
  }),
  route({
    method: "GET",
    path: "/kinds",
    operationId: "listKinds",
    summary: "List the kinds of jobs, with the schemas of their inputs and outputs",
    tag: "Server",
    answer: {
      procedure: "kind.list",
      input: Nothing,
      status: 200,
      output: ANSWERS.Kinds,
      run: ({ context }) => context.jobs.kinds(),
    },
  }),
  route({
    method: "GET",
    path: "/system",
    operationId: "getSystem",
    summary: "Read the version and the limits of the server",
    tag: "Server",
    answer: {
      procedure: "system.info",
      input: Nothing,
      status: 200,
      output: ANSWERS.System,
      run: ({ context }) => context.system,
    },
  }),
];
