/** A schedule in a list: when it creates jobs, what came of it, and what can be done with it. */
import { CalendarClock, CircleCheck, CirclePause, TriangleAlert } from "lucide-react";
import { Link } from "wouter";
import { optionsOf, whenOf } from "#client/app/schedule-words.ts";
import { useOtherOwner, useOwners } from "#client/app/use-owners.ts";
import type { ScheduleSummary } from "#shared/schedule.ts";
import { Badge, type Look } from "./badge.tsx";
import { Breakable } from "./breakable.tsx";
import { Button } from "./button.tsx";
import { ConfirmButton } from "./confirm-button.tsx";
import { ScheduleMore } from "./schedule-more.tsx";

export type ScheduleAction = "pause" | "resume" | "trigger" | "delete";

const LOOKS = {
  active: { word: "Active", Icon: CalendarClock, className: "bg-accent-soft text-accent" },
  paused: { word: "Paused", Icon: CirclePause, className: "bg-sunken text-muted" },
  finished: { word: "Finished", Icon: CircleCheck, className: "bg-good-soft text-good" },
  failed: { word: "Failed", Icon: TriangleAlert, className: "bg-bad-soft text-bad" },
} as const satisfies Record<string, Omit<Look, "bar">>;

type State = keyof typeof LOOKS;

const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function ScheduleRow(props: {
  schedule: ScheduleSummary;
  busy: boolean;
  onAct: (action: ScheduleAction) => void;
}) {
  const { schedule, busy, onAct } = props;
  const { id, key, kind, nextAt, pausedAt, lastAt, lastJobId, lastError, lastMissed } = schedule;
  const state = stateOf(schedule);
  const owner = useOtherOwner(schedule);
  const { search } = useOwners();
  return (
    <li
      aria-label={key}
      className="grid gap-x-4 gap-y-3 rounded-xl border border-line bg-card px-4 py-3 sm:grid-cols-[1fr_auto]"
    >
      <div className="min-w-0 space-y-1">
        <h2 className="flex flex-wrap items-center gap-2 font-medium">
          <span className="min-w-0 wrap-anywhere">
            <Breakable text={key} />
          </span>
          <Badge status={state} look={{ ...LOOKS[state], bar: "" }} />
        </h2>
        <p className="text-sm text-muted wrap-anywhere">
          {owner !== undefined && <span className="font-medium text-ink">{owner} · </span>}
          {[kind, whenOf(schedule), ...optionsOf(schedule)].join(" · ")}
        </p>
        <dl className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
          <Fact name="Next">{nextAt === null ? "none" : <Moment at={nextAt} />}</Fact>
          {lastAt !== null && (
            <Fact name="Last">
              <Moment at={lastAt} />
            </Fact>
          )}
          {lastJobId !== null && (
            <Fact name="Newest job">
              <Link href={`/jobs/${lastJobId}`} className="text-accent underline">
                Show
              </Link>
            </Fact>
          )}
          <Fact name="Jobs">
            <Link href={`/schedules/${id}/jobs${search}`} className="text-accent underline">
              Show all
            </Link>
          </Fact>
        </dl>
        {lastError !== null && (
          <p className={`text-sm wrap-anywhere ${state === "failed" ? "text-bad" : "text-muted"}`}>
            No job for <Moment at={lastError.dueAt} />: {lastError.message}
          </p>
        )}
        {lastMissed !== null && (
          <p className="text-sm text-muted">
            Missed {lastMissed.count === 1 ? "one time" : `${lastMissed.count} times`} from{" "}
            <Moment at={lastMissed.from} />
            {lastMissed.ranOnce && "; one job for all"}
          </p>
        )}
        <ScheduleMore schedule={schedule} />
      </div>
      <div
        className="flex flex-wrap items-start gap-2"
        role="group"
        aria-label={`Actions of ${key}`}
      >
        <Button disabled={busy} onClick={() => onAct("trigger")}>
          Run now
        </Button>
        {pausedAt === null ? (
          <Button disabled={busy} onClick={() => onAct("pause")}>
            Pause
          </Button>
        ) : (
          <Button disabled={busy} onClick={() => onAct("resume")}>
            Resume
          </Button>
        )}
        <ConfirmButton
          label="Delete"
          question={`Delete the schedule ${key}?`}
          detail="It creates no more jobs. Those that it has created stay."
          busy={busy}
          onConfirm={() => onAct("delete")}
        />
      </div>
    </li>
  );
}

function Fact(props: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-1">
      <dt className="text-muted">{props.name}</dt>
      <dd className="tabular-nums">{props.children}</dd>
    </div>
  );
}

function Moment({ at }: { at: Date }) {
  return <time dateTime={at.toISOString()}>{time.format(at)}</time>;
}

function stateOf({ nextAt, pausedAt, lastAt, lastError }: ScheduleSummary): State {
  if (pausedAt !== null) return "paused";
  if (lastError !== null && (lastAt === null || lastError.dueAt > lastAt)) return "failed";
  return nextAt === null ? "finished" : "active";
}
