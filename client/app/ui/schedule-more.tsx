/** The next times of a schedule and the input of its jobs, read once a person asks for them. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import type { ScheduleDetails, ScheduleSummary } from "#shared/schedule.ts";
import { DataView } from "./data-view.tsx";

/** With the day of the week, by which people check what they wrote in an expression of cron. */
const FORMAT = { dateStyle: "full", timeStyle: "short" } as const;
const local = new Intl.DateTimeFormat("en-GB", FORMAT);

export function ScheduleMore({ schedule }: { schedule: ScheduleSummary }) {
  const { trpc } = useJobwire();
  const [isOpen, setOpen] = useState(false);
  const { id, version, nextAt } = schedule;
  const { data, error } = useQuery({
    // Read again when it has fired or was changed.
    queryKey: ["jobwire", "schedule", id, version, nextAt],
    queryFn: () => trpc.schedule.get.query({ scheduleId: id }),
    enabled: isOpen,
    placeholderData: (before) => before,
    ...UNTIL_ANSWERED,
  });
  return (
    <details className="text-sm" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="text-muted">Next times and input</summary>
      {error !== null && <p className="mt-2 text-bad">{requestErrorMessage(error)}</p>}
      {data !== undefined && (
        <div className="mt-2 space-y-3">
          <Upcoming schedule={data} />
          <div className="rounded-lg bg-sunken p-3">
            <DataView value={data.input} />
          </div>
        </div>
      )}
    </details>
  );
}

function Upcoming({ schedule }: { schedule: ScheduleDetails }) {
  const { upcoming, timeZone } = schedule;
  if (upcoming.length === 0) return <p>It creates no more jobs by itself.</p>;
  const own = timeZone === null || isLocal(timeZone) ? undefined : formatIn(timeZone);
  return (
    <ol aria-label="Next times" className="space-y-1 tabular-nums">
      {upcoming.map((at) => (
        <li key={at.getTime()}>
          <time dateTime={at.toISOString()}>{local.format(at)}</time>
          {own !== undefined && (
            <span className="text-muted">
              {" "}
              · {own.format(at)} {timeZone}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

function isLocal(timeZone: string): boolean {
  return timeZone === local.resolvedOptions().timeZone;
}

/** `undefined` where the browser does not know the zone. */
function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-GB", {
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      timeZone,
    });
  } catch {
    return undefined;
  }
}
