/**
 * Jobs that the queue of another system runs: Jobwire mirrors them, and gives them to no runner. Nothing but the mirror changes
 * them. Pure.
 */
import { AppError } from "./errors.ts";
import type { Job } from "./job.ts";
import { storedDetails } from "./stored-details.ts";

/** Where a change of a mirrored job stands in the events of its queue, and what is shown of the job beside Jobwire's own fields. */
export interface Outside {
  /** The id of the event, `ms-number`, and the step of those that one event takes: `1717243200000-0.3`. */
  position: string;
  details: Readonly<Record<string, unknown>>;
  /** Earlier events of the queue were lost to the mirror, so changes of the job may be missing before this one. */
  gap?: true | undefined;
}

/** In `details` of each event of a mirrored job. */
export interface OutsideDetails {
  position: string;
  gap?: true;
  /** Its mirror passes on that it is cancelled or retried. */
  control?: true;
  [field: string]: unknown;
}

/** The kinds of programs are identifiers, so none of them has a colon. */
export function isOutside(kind: string): boolean {
  return kind.includes(":");
}

/** False for a mirrored job which its queue alone can cancel and run again. */
export function isDecidedHere({ kind, details }: Pick<Job, "kind" | "details">): boolean {
  return !isOutside(kind) || (details as Partial<OutsideDetails> | undefined)?.control === true;
}

export function detailsOf({ details, position, gap }: Outside): unknown {
  return storedDetails({ ...details, position, ...(gap && { gap }) } satisfies OutsideDetails);
}

/** `undefined` in a job that is not mirrored. */
export function positionOf(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("position" in details)) return undefined;
  return typeof details.position === "string" ? details.position : undefined;
}

const POSITION = /^(\d{1,20})-(\d{1,20})(?:\.(\d{1,9}))?$/;

/** True for the details of an event before which others of its queue may be missing. No log has the kind of its job. */
export function isGap(details: unknown): boolean {
  const position = positionOf(details);
  return (
    position !== undefined && POSITION.test(position) && (details as OutsideDetails).gap === true
  );
}

/** Throws for a text that is no position. */
export function comparePositions(one: string, other: string): number {
  const [ofOne, ofOther] = [sortable(one), sortable(other)];
  return ofOne < ofOther ? -1 : ofOne > ofOther ? 1 : 0;
}

function sortable(position: string): string {
  const [, ms, number, step = "0"] = POSITION.exec(position) ?? [];
  if (ms === undefined || number === undefined) {
    throw new TypeError(`"${position}" is no position in a queue's events.`);
  }
  return [ms, number, step].map((digits) => digits.padStart(20, "0")).join(" ");
}

/** Actions that mirrors alone take. */
const OF_MIRRORS: ReadonlySet<string> = new Set(["requeue", "remove"]);

/**
 * Throws `ILLEGAL_TRANSITION` for a change of a mirrored job that is not of its mirror, or that the job has already; and for one
 * of a mirror where the job is not mirrored.
 */
export function assertMirrored(
  { id, kind, details }: Pick<Job, "id" | "kind" | "details">,
  { action, outside }: { action: string; outside?: Outside | undefined },
): void {
  if (outside === undefined) {
    if (!isOutside(kind) && !OF_MIRRORS.has(action)) return;
    if (!isOutside(kind)) throw new AppError("ILLEGAL_TRANSITION", `Job ${id} is not mirrored.`);
    throw new AppError(
      "ILLEGAL_TRANSITION",
      `Job ${id} is of the queue "${kind}" of another system, which alone changes it. Change it there.`,
    );
  }
  const known = positionOf(details);
  if (!isOutside(kind) || known === undefined) {
    throw new AppError("ILLEGAL_TRANSITION", `Job ${id} is not mirrored.`);
  }
  if (comparePositions(outside.position, known) <= 0) {
    throw new AppError(
      "ILLEGAL_TRANSITION",
      `Job ${id} has the event ${outside.position} already.`,
    );
  }
}
