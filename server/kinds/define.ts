/**
 * The contract of a kind of job. A kind knows nothing of engines, streams or transports: it receives an input and a
 * context, reports progress, and returns an outcome. `docs/add-a-kind.md` shows how to write one.
 */
import type { z } from "zod";

/** `Details`: what its schema takes; without one, `never`. */
export interface Kind<Input = unknown, Output = unknown, Details = never> {
  /** The kind's name on the wire, in `job.create { kind }`. */
  readonly name: string;
  readonly description: string;
  /**
   * Validates an input, synchronously, before a job is created; `kind.list` shows its JSON Schema. The input, and the
   * output of this schema, have at most `MAX_INPUT_BYTES` as JSON. The output is stored as JSON, and `title` and `run`
   * receive the stored value: a `Date` becomes a string, for example. A `Map` and other values that are not JSON are
   * refused.
   */
  readonly input: z.ZodType<Input>;
  /**
   * Validates the details that `progress` is given, synchronously: state of the job's own beside percent and message. Each
   * event carries the newest ones, so they have at most `MAX_DETAILS_BYTES` as JSON. They are stored as JSON, as inputs
   * are. Without it, `progress` takes no details.
   */
  readonly details?: z.ZodType<unknown, Details> | undefined;
  /** The job's title in lists: one line, cut at `MAX_TITLE_CHARS`. */
  title(input: Stored<Input>): string;
  /** State of a job at the start of an attempt. `progress` is a whole percent; another value ends the job. */
  readonly start: { readonly progress: number; readonly message: string };
  /**
   * Does the work. A job that lost its runner runs again from the beginning, so `run` must be safe to repeat.
   * Throw `Transient` to have the job retried and `Failure` to end it; any other thrown value ends the job as a fault of
   * the kind. So does an error that the code throws outside of this function, from a timer or an unhandled rejection.
   * The output has at most `MAX_OUTPUT_BYTES` as JSON.
   */
  run(context: RunContext<Stored<Input>, Details>): Promise<Outcome<Output>>;
}

/** The type of a value after `JSON.parse(JSON.stringify(value))`. */
export type Stored<T> =
  IsAny<T> extends true
    ? T
    : T extends { toJSON(...args: never[]): infer Json }
      ? Stored<Json>
      : T extends object
        ? { [Key in keyof T]: Stored<T[Key]> }
        : T;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** `Details`: what `details` of the kind takes. */
export interface RunContext<Input, Details = never> {
  readonly jobId: string;
  readonly input: Input;
  /** 1 for the first run. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, its claim is lost, or a shutdown gives it back. Stop working then. */
  readonly signal: AbortSignal;
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
}

export type Outcome<Output> =
  | { readonly status: "delivered"; readonly message: string; readonly output: Output }
  /** The job waits for a person's decision; `message` says why. */
  | { readonly status: "blocked"; readonly message: string; readonly output: Output };

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

/** Registries hold kinds of all inputs. `run` is only safe with an input that the kind's own schema accepted. */
export type AnyKind = Kind;

/** Erases the types of input, details and output for a registry. */
export function defineKind<Input, Output, Details = never>(
  kind: Kind<Input, Output, Details>,
): AnyKind {
  // Sound because every input passes `kind.input` and the store before `title` or `run` see it.
  return kind as AnyKind;
}

/** A folder of static files that comes with a kind. The server shows them to everyone. */
export interface StaticSite {
  /** Begins and ends with a slash: `/samples/`. */
  path: string;
  dir: string;
  /** The message where a file does not exist. */
  notFound: string;
}
