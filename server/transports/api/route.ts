/**
 * A route of the API, as data. Dispatch, the checks of callers, the OpenAPI document and the tables of the documentation follow
 * from the table of routes (`routes.ts`), so that no second list can differ from it.
 */
import type { z } from "zod";
import type { Stream } from "#server/streams/open.ts";
import type { WorkProcedure } from "#server/auth/permissions.ts";
import type { ProcedurePath } from "#shared/api.ts";
import type { Call } from "./call.ts";

export type Method = "GET" | "POST" | "DELETE";

/** Procedures of single kinds have no route of their own: the body of `POST /jobs` names its kind. */
export type RouteProcedure = Exclude<ProcedurePath, `kinds.${string}`> | WorkProcedure;

/**
 * The answer in JSON. `input` is that of the procedure: fields that the path names are read from there, others of a POST from the
 * body, others of GET and DELETE from the query.
 */
export interface Answering<Input extends z.ZodType = z.ZodType> {
  /** Its entry in the table of permissions (`permissions.ts`), which is the requirement of the route. */
  procedure: RouteProcedure;
  input: Input;
  status: 200 | 201 | 204;
  /** Of the body. Absent: the answer has none. */
  output?: z.ZodType;
  /** `left()`: a signal that aborts when the client has left before the whole answer was sent. */
  run: (call: Call, input: z.output<Input>, left: () => AbortSignal) => unknown;
  /** The path of what was created, below the API's own. */
  location?: (answer: { id: string }) => string;
  /** The header `Idempotency-Key` is the input's `idempotencyKey`. */
  keyed?: true;
  /** Fields whose schema depends on the server's kinds. */
  ofKinds?: "job" | "batch" | "schedule";
  /** The answer has a secret, so it is not compressed. */
  secret?: true;
}

/** The answer as a stream: SSE, or a WebSocket at the same path. */
export interface Streaming<Input extends z.ZodType = z.ZodType> {
  procedure: RouteProcedure;
  input: Input;
  /** The name of its events. */
  event: string;
  output: z.ZodType;
  open: (call: Call, input: z.output<Input>) => Promise<Stream<unknown>>;
}

export interface Route {
  method: Method;
  /** Below `/api/v1`, with parameters in braces: `/jobs/{jobId}`. */
  path: string;
  operationId: string;
  /** A sentence without a stop at its end. */
  summary: string;
  tag: Tag;
  answer?: Answering | undefined;
  stream?: Streaming | undefined;
}

export const TAGS = {
  Jobs: "Create, read, watch and decide about single jobs.",
  Batches: "Jobs that are created together.",
  Lists: "All jobs as they change, and who is online.",
  Sharing: "Let others watch one job or batch.",
  Schedules: "Jobs that are created by a clock.",
  Work: "Run jobs as a worker of another program.",
  Server: "The caller, the kinds and the server.",
  Operating: "Pauses, workers, revocations and the audit list.",
} as const;
export type Tag = keyof typeof TAGS;

/** A route whose handlers have the types of their inputs. */
export function route<Asked extends z.ZodType, Watched extends z.ZodType>(
  definition: Omit<Route, "answer" | "stream"> & {
    answer?: Answering<Asked>;
    stream?: Streaming<Watched>;
  },
): Route {
  return definition;
}
