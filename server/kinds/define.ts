/**
 * The contract of a kind of job. A kind knows nothing of engines, streams or transports: it receives an input and a
 * context, reports progress, and returns its output. `docs/add-a-kind.md` shows how to write one.
 */
import type { z } from "zod";
import type { KindTypes } from "#shared/kind-types.ts";
import type { DeclaredSchedule } from "#shared/schedule.ts";
import type { LogLevel } from "#shared/log-line.ts";
import type { PolicyFields } from "./policies.ts";

/** A schema of zod or of zod/mini. */
export type Schema = z.core.$ZodType;

/** The types of a schema, and all that the compiler compares of one: a whole `Schema` would double what a kind costs it. */
export interface SchemaTypes {
  readonly _zod: { readonly input: unknown; readonly output: unknown };
}

/** The definition that a team writes. `defineKind` makes a `Kind` of it. */
export interface KindDefinition<
  Name extends string,
  Input extends SchemaTypes,
  Output extends SchemaTypes,
  Details extends SchemaTypes = z.core.$ZodNever,
> extends PolicyFields<Stored<z.output<Input>>> {
  /** An identifier, unique in a server: the `kind` of `job.create`, and the name of `kinds.<name>`. */
  readonly name: Name;
  /** For people; `kind.list` shows it. */
  readonly description?: string;
  /**
   * Validates an input, synchronously, before a job is created; `kind.list` shows its JSON Schema. The input, and the
   * output of this schema, have at most `MAX_INPUT_BYTES` as JSON. The output is stored as JSON, and `title` and `run`
   * receive the stored value: a `Date` becomes a string, for example. A `Map` and other values that are not JSON are
   * refused.
   */
  readonly input: Input;
  /**
   * Validates the details that `progress` is given, as JSON and synchronously: state of the job's own beside percent and message. Each
   * event carries the newest ones, so they have at most `MAX_DETAILS_BYTES` as JSON. What the schema makes of them is stored
   * as JSON. Without it, `progress` takes no details.
   */
  readonly details?: Details | undefined;
  /**
   * Validates the output, as JSON and synchronously, when `run` returns. The output of this schema is stored as JSON, with at
   * most `MAX_OUTPUT_BYTES`. An output that does not fit ends the job as a fault of the kind.
   */
  readonly output: Output;
  /** The job's title in lists: one line, cut at `MAX_TITLE_CHARS`. The default is the kind's name. */
  title?(input: Stored<z.output<Input>>): string;
  /**
   * State of a job at the start of an attempt: "Job started" at 0 percent by default. `progress` is a whole percent; another value
   * ends the job.
   */
  readonly start?: { readonly progress: number; readonly message: string };
  /**
   * Jobs of this kind that the server creates by itself. It stores them when it starts, and removes those that were declared
   * before. Their keys are unique in a server (docs/schedules.md).
   */
  readonly schedules?: readonly DeclaredSchedule<NoInfer<z.input<Input>>>[] | undefined;
  /**
   * Does the work, and returns the output, or `delivered(message, output)` or `blocked(message, output)`. A job that lost its
   * runner runs again from the beginning, so `run` must be safe to repeat.
   * Throw `Transient` to have the job retried and `Failure` to end it; any other thrown value ends the job as a fault of
   * the kind. So does an error that the code throws outside of this function, from a timer or an unhandled rejection.
   * Without it, workers of other programs run the jobs (docs/workers.md).
   * Name its parameter, used or not, where the output has literal types: without one the compiler widens `"file"` to `string`.
   */
  // Without NoInfer the compiler reads the body before it knows the output, and `{ type: "file" }` becomes `{ type: string }`.
  readonly run?:
    | NoInfer<
        (
          context: RunContext<Stored<z.output<Input>>, z.input<Details>>,
        ) => Promise<z.input<Output> | Outcome<z.input<Output>>>
      >
    | undefined;
}

/** A kind that a server can register. Its types are in one property that has no value, which keeps them cheap to compare. */
export interface Kind<
  Name extends string = string,
  Types extends KindTypes = KindTypes,
> extends PolicyFields {
  readonly name: Name;
  readonly description: string;
  readonly input: Schema;
  readonly details?: Schema | undefined;
  readonly output: Schema;
  /** Only safe with an input that the kind's own schema accepted. */
  title(input: unknown): unknown;
  readonly start: { readonly progress: number; readonly message: string };
  readonly schedules?: readonly DeclaredSchedule[] | undefined;
  /** Only safe with an input that the kind's own schema accepted. */
  run(context: RunContext<unknown>): Promise<unknown>;
  /** Workers of other programs run its jobs; `run` rejects. */
  readonly remote: boolean;
  readonly "~types"?: Types;
}

/** Registries hold kinds of all types. */
export type AnyKind = Kind;

/** The types of kinds by their names: `ApiRouter<KindMapOf<typeof kinds>>` is the router of a server that has them. */
export type KindMapOf<Kinds extends readonly AnyKind[]> = {
  [K in Kinds[number] as K["name"]]: NonNullable<K["~types"]>;
};

export const DEFAULT_START = { progress: 0, message: "Job started" };

/** Throws a `TypeError` where `run` or `title` is there and no function; `createJobwire` checks the rest. */
export function defineKind<
  const Name extends string,
  Input extends SchemaTypes,
  Output extends SchemaTypes,
  Details extends SchemaTypes = z.core.$ZodNever,
>(
  definition: KindDefinition<Name, Input, Output, Details>,
): Kind<
  Name,
  {
    input: z.input<Input>;
    parsed: Stored<z.output<Input>>;
    details: Stored<z.output<Details>>;
    output: Stored<z.output<Output>>;
  }
> {
  const { name, description = "", start = DEFAULT_START, schedules = [] } = definition;
  for (const part of ["run", "title"] as const) {
    if (definition[part] !== undefined && typeof definition[part] !== "function") {
      throw new TypeError(`The kind "${name}" has no function \`${part}\`.`);
    }
  }
  const { retry, timeLimitMs, retentionDays, priority, concurrency, rateLimit } = definition;
  return {
    name,
    description,
    start,
    schedules,
    retry,
    timeLimitMs,
    retentionDays,
    priority,
    concurrency,
    rateLimit,
    // Sound: only schemas have these types, and the registry refuses what is none.
    input: definition.input as SchemaTypes as Schema,
    details: definition.details as SchemaTypes | undefined as Schema | undefined,
    output: definition.output as SchemaTypes as Schema,
    // The casts are sound because every input passes `input` and the store before these two see it.
    title: (stored) => (definition.title === undefined ? name : definition.title(stored as never)),
    run: (context) =>
      definition.run === undefined
        ? Promise.reject(isRunElsewhere(name))
        : definition.run(context as never),
    remote: definition.run === undefined,
  };
}

function isRunElsewhere(name: string): TypeError {
  return new TypeError(
    `The kind "${name}" has no \`run\`: workers of other programs run its jobs.`,
  );
}

/** The type of a value after `JSON.parse(JSON.stringify(value))`. */
export type Stored<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(...args: never[]): infer Json }
    ? Stored<Json>
    : T extends object
      ? { [Key in keyof T]: Stored<T[Key]> }
      : T;

/** `Details`: what `details` of the kind takes. */
export interface RunContext<Input, Details = never> {
  readonly jobId: string;
  readonly input: Input;
  /** 1 for the first run. */
  readonly attempt: number;
  /**
   * Aborted when the job is cancelled, its claim is lost, a shutdown gives it back, or the attempt takes longer than `timeLimitMs`:
   * then the reason is a `Failure` with the code `TIME_LIMIT`. Stop working then.
   */
  readonly signal: AbortSignal;
  /**
   * The trace of this attempt, for the header `traceparent` of requests that the code makes by hand. Instrumented clients send it
   * by themselves. Absent: there is no trace.
   */
  readonly traceparent?: string | undefined;
  /**
   * Reports progress; resolves once it is committed. Percent 0..100, which never falls within an attempt. A message longer
   * than `MAX_MESSAGE_CHARS` is cut. `MAX_UNFINISHED_REPORTS` calls may be pending, and a job has at most
   * `MAX_JOB_EVENTS` events: a call beyond that, or with arguments of other types, rejects and ends the job. So do details
   * that the kind's schema refuses. A call without details keeps those of the attempt so far.
   */
  progress(percent: number, message: string, details?: Details): Promise<void>;
  /**
   * Appends to the draft that people watch; resolves once it may be called again. Small pieces are gathered into one
   * commit. More than `MAX_DRAFT_BYTES` in one attempt end the job.
   */
  draft(text: string): Promise<void>;
  /**
   * Writes a line to the job's log lines, which the job's page shows and `job.logs` reads: for people who ask how the job came to
   * its result. Returns at once, and never fails for a text of a level that exists. Lines are stored some times a second, and
   * before the attempt ends. A message longer than `MAX_LINE_CHARS` is cut. An attempt may write `MAX_LINES_AT_ONCE` lines, and
   * `LOG_LINES_A_SECOND` in the long run: further ones are dropped, and a line says how many; `RESERVED_LINES` warnings and errors
   * find room all the same. A job keeps its newest
   * `MAX_LOG_LINES` of all attempts. Its owner can read them, so log no secrets.
   */
  log(level: LogLevel, message: string): void;
}

/** A key that no output has, and that is the same in each copy of this module. */
const STATUS = Symbol.for("jobwire.outcome");

/** The end of a job with a message. A plain output means `delivered("Delivered", output)`. */
export interface Outcome<Output> {
  readonly [STATUS]: "delivered" | "blocked";
  readonly message: string;
  readonly output: Output;
}

/** The job is done. `message` tells a person the result. It is cut at `MAX_MESSAGE_CHARS`. */
export function delivered<Output>(message: string, output: Output): Outcome<Output> {
  return { [STATUS]: "delivered", message, output };
}

/** The job waits for a person's decision; `message` says why. It is cut at `MAX_MESSAGE_CHARS`. */
export function blocked<Output>(message: string, output: Output): Outcome<Output> {
  return { [STATUS]: "blocked", message, output };
}

/** The status, message and output that a kind returned. `message` can be any value where the kind is not type-checked. */
export function outcomeOf(returned: unknown): {
  status: "delivered" | "blocked";
  message: unknown;
  output: unknown;
} {
  if (!isOutcome(returned)) return { status: "delivered", message: "Delivered", output: returned };
  const { [STATUS]: status, message, output } = returned;
  return { status, message, output };
}

function isOutcome(value: unknown): value is Outcome<unknown> {
  if (typeof value !== "object" || value === null) return false;
  const status: unknown = (value as { [STATUS]?: unknown })[STATUS];
  return status === "delivered" || status === "blocked";
}

/** Ends the job as `ABORTED`. `code` is for programs (`PAGE_NOT_FOUND`), `message` for people. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A failure that may pass: the job is retried with backoff, and not before `retryAfterMs` if that is given. */
export class Transient extends Failure {
  override readonly name = "Transient";
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A folder of static files that comes with a kind. The server shows them to everyone. */
export interface StaticSite {
  /** Begins and ends with a slash: `/guide/`. */
  path: string;
  dir: string;
  /** The message where a file does not exist. */
  notFound: string;
}
