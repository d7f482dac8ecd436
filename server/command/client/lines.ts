/** Progress as lines of text: for pipes and logs. */
import type { Output } from "#server/command/context.ts";
import { printable } from "#server/command/printable.ts";
import type { BatchState, JobState, Reporter, Watched } from "./reporter.ts";

/** Connections are no progress, so `errors` has them. `isOne`: of one that is watched alone the name would tell nothing. */
export function createLines(output: Output, errors: Output, isOne: boolean): Reporter {
  const prefixOf = ({ name }: Watched) => (isOne ? "" : `${printable(name)}: `);

  /** By the id, the line that was printed last: a batch of thousands of jobs changes more often than a person reads. */
  const printed = new Map<string, string>();

  function say(watched: Watched, text: string, mark = text): void {
    if (printed.get(watched.id) === mark) return;
    printed.set(watched.id, mark);
    output.write(`${prefixOf(watched)}${text}\n`);
  }

  return {
    job: (job, state) => say(job, textOfJob(state)),
    batch: (batch, state) => say(batch, textOfBatch(state), markOf(state)),
    connection(watched, state) {
      const what = state === "lost" ? "The connection is lost; trying again." : "Connected again.";
      errors.write(`${prefixOf(watched)}${what}\n`);
    },
    end() {},
  };
}

export function textOfJob({ status, progress, message }: JobState): string {
  return `${progress}% ${status} ${printable(message)}`.trimEnd();
}

export function textOfBatch({ progress, completed, total, blocked, aborted }: BatchState): string {
  const all = [`${completed} of ${total} jobs`, ...badEndings({ blocked, aborted })];
  return `${progress}% ${all.join(", ")}`;
}

/** How many jobs were not delivered. */
export function badEndings({
  blocked,
  aborted,
}: Pick<BatchState, "blocked" | "aborted">): string[] {
  return [
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(aborted > 0 ? [`${aborted} aborted`] : []),
  ];
}

/** A line for each percent, and for the last change. */
function markOf({ progress, status }: BatchState): string {
  return `${progress} ${status}`;
}
