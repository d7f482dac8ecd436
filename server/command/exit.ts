/** The exit codes of the command. */

export const FAILED = 1;
/** Arguments are wrong. */
export const WRONG_USAGE = 2;
/** Of the verbs that wait for jobs, whose 1 and 2 are endings of jobs (sysexits.h, EX_USAGE). */
export const WRONG_USAGE_OF_JOBS = 64;
/** A job is BLOCKED: a person has to decide. */
export const BLOCKED = 2;
/** By SIGINT, as shells count it. */
export const INTERRUPTED = 130;

/** The command has printed what there is to say, and ends with this code. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly code: number;

  constructor(code: number) {
    super(`The exit code is ${code}.`);
    this.code = code;
  }
}
