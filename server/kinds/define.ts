/**
 * What a kind of job is. A kind knows nothing of engines, streams or transports: it gets an input and a
 * context, reports as it goes, and returns how it ended. `docs/add-a-kind.md` shows how to write one.
 */
import type { z } from "zod";

export interface Kind<Input = unknown, Output = unknown> {
  /** On the wire, in `job.create { kind }`. */
  readonly name: string;
  readonly description: string;
  /**
   * Checked before a job is created, synchronously; its JSON Schema is what `kind.list` shows. An input, and what this
   * makes of it, has at most `MAX_INPUT_BYTES` as JSON. What it makes is stored as JSON,
   * and `title` and `run` get what was stored: a `Date` as text, for one. A `Map` and the like are refused.
   */
  readonly input: z.ZodType<Input>;
  /** One line for lists. A longer one than `MAX_TITLE_CHARS` is cut. */
  title(input: Stored<Input>): string;
  /** The state a job has when an attempt starts. `progress` is a whole percent; another value ends the job. */
  readonly start: { readonly progress: number; readonly message: string };
  /**
   * Does the work. Called again from the beginning after a crash, so it must be safe to repeat.
   * Throw `Transient` for what may go better later, `Failure` for what will not; anything else that is
   * thrown ends the job as a fault of the kind. So does an error that the code throws outside of this function, from a
   * timer or a promise that nothing awaits. The output has at most `MAX_OUTPUT_BYTES` as JSON.
   */
  run(context: RunContext<Stored<Input>>): Promise<Outcome<Output>>;
}

/** The type of a value that was written as JSON and read again. */
export type Stored<T> =
  IsAny<T> extends true
    ? T
    : T extends { toJSON(...args: never[]): infer Json }
      ? Stored<Json>
      : T extends object
        ? { [Key in keyof T]: Stored<T[Key]> }
        : T;
type IsAny<T> = 0 extends 1 & T ? true : false;

export interface RunContext<Input> {
  readonly jobId: string;
  readonly input: Input;
  /** 1 for the first run. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, lost to another runner, or given back at a shutdown. Stop working then. */
  readonly signal: AbortSignal;
  /**
   * Resolves when it is committed. Percent 0..100; it never falls within an attempt. A message longer than
   * `MAX_MESSAGE_CHARS` is cut. `MAX_UNFINISHED_REPORTS` calls may wait, and a job has at most `MAX_JOB_EVENTS` events:
   * a call beyond that, or with other types, rejects and ends the job.
   */
  progress(percent: number, message: string): Promise<void>;
  /**
   * Appends to the draft that people watch. Resolves when it may be called again: small pieces are
   * gathered into one commit. More than `MAX_DRAFT_BYTES` in one attempt end the job.
   */
  draft(text: string): Promise<void>;
}

export type Outcome<Output> =
  | { readonly status: "delivered"; readonly message: string; readonly output: Output }
  /** It needs a person's decision; `message` says why. */
  | { readonly status: "blocked"; readonly message: string; readonly output: Output };

/** Ends the job as ABORTED. `code` is for programs (`PAGE_NOT_FOUND`), `message` for people. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** May go better later: the job is retried with backoff, or not before `retryAfterMs` where that is known. */
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

/** Registries hold kinds of all inputs. Only the registry's own check of `input` makes a call of `run` safe. */
export type AnyKind = Kind;

/** Keeps the types of input and output inside the kind. */
export function defineKind<Input, Output>(kind: Kind<Input, Output>): AnyKind {
  // Sound because every input goes through `kind.input`, and is stored, before it comes near `title` or `run`.
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
