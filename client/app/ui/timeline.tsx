import { entryOf } from "#client/app/entry-of.ts";
import { useWho } from "#client/app/use-sign-in.ts";
import type { Actor } from "#shared/actor.ts";
import type { JobEvent, JobEventType } from "#shared/events.ts";
import { Breakable } from "./breakable.tsx";
import { lookOfJob } from "./looks.ts";
import { Clock } from "./time.tsx";

const WORD: Record<JobEventType, string> = {
  created: "Created",
  started: "Started",
  progress: "Progress",
  retrying: "Given back",
  delivered: "Delivered",
  blocked: "Blocked",
  aborted: "Aborted",
  approved: "Approved",
  rejected: "Rejected",
  requeued: "Queued again",
};

/** The log of a job, newest first. */
export function Timeline({ events }: { events: readonly JobEvent[] }) {
  return (
    <ol
      className="relative space-y-3 border-l border-line pl-4"
      aria-label="Timeline, newest first"
    >
      {events.toReversed().map((event) => (
        <li key={event.seq} className="relative text-sm">
          <span
            aria-hidden
            className={`absolute top-1.5 -left-[1.3125rem] size-2 rounded-full ring-4 ring-card ${
              event.type === "progress" ? "bg-line" : lookOfJob(event.status).bar
            }`}
          />
          <p className="break-words">
            <Breakable text={event.message} />
          </p>
          <p className="flex flex-wrap gap-x-2 text-xs text-muted tabular-nums">
            <Clock at={event.at} />
            {event.type !== "progress" && (
              <span className="min-w-0 wrap-anywhere">
                {entryOf(WORD, event.type) ?? event.type}
                {event.actor !== undefined && <By actor={event.actor} />}
              </span>
            )}
            {event.status === "PROCESSING" && <span>{event.progress}%</span>}
            {event.attempt > 1 && <span>attempt {event.attempt}</span>}
            {event.skipped !== undefined && <span>{event.skipped} steps folded</span>}
          </p>
        </li>
      ))}
    </ol>
  );
}

/** On a server without sign-in every caller is the same user, so its name says nothing. */
function By({ actor: { user, via, scheduleId } }: { actor: Actor }) {
  const who = useWho();
  if (via === "schedule") return " by a schedule";
  if (via === "anonymous") return scheduleId === undefined ? null : " from a schedule";
  const isMe = who?.user === user;
  return (
    <>
      {" by "}
      {isMe ? "you" : <bdi className="font-medium text-ink">{user}</bdi>}
      {via === "key" && ", with an API key"}
      {scheduleId !== undefined && ", from a schedule"}
    </>
  );
}
