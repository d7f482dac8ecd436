import { useMutation } from "@tanstack/react-query";
import { Link } from "wouter";
import { entryOf } from "#client/app/entry-of.ts";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { endingOf } from "#client/app/job-ending.ts";
import type { KindView } from "#client/app/kind-parts.ts";
import { useKindView } from "#client/app/use-kinds.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { Badge } from "#client/app/ui/badge.tsx";
import { Breakable } from "#client/app/ui/breakable.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { ByOther } from "#client/app/ui/by-other.tsx";
import { DecisionButton } from "#client/app/ui/decision-button.tsx";
import { Faces } from "#client/app/ui/faces.tsx";
import { WritingNow } from "#client/app/ui/writing-now.tsx";
import { useWho } from "#client/app/use-sign-in.ts";
import { DraftView } from "#client/app/ui/draft-view.tsx";
import { ShareButton } from "#client/app/ui/share-button.tsx";
import { JobDetails } from "#client/app/ui/job-details.tsx";
import { JobLog } from "#client/app/ui/job-log.tsx";
import { JobInput } from "#client/app/ui/job-input.tsx";
import { JobOutput } from "#client/app/ui/job-output.tsx";
import { JobTimes } from "#client/app/ui/job-times.tsx";
import { JobOutcome } from "#client/app/ui/job-outcome.tsx";
import { lookOfJob } from "#client/app/ui/looks.ts";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { ProgressBar } from "#client/app/ui/progress-bar.tsx";
import { WaitingLine } from "#client/app/ui/waiting-line.tsx";
import { Timeline } from "#client/app/ui/timeline.tsx";
import { Age } from "#client/app/ui/time.tsx";
import { type TypingResult, useDraft, useJob, useJobwire, useTyping } from "#client/lib/react.tsx";
import { isSettled, type Job } from "#shared/job.ts";
import { LIFECYCLE } from "#shared/lifecycle.ts";
import { isDecidedHere } from "#shared/outside.ts";
import { NotFoundPage } from "./not-found-page.tsx";

/** Actions of people; the lifecycle decides which are offered. */
const DECISIONS = [
  {
    action: "approve",
    label: "Approve",
    question: "Deliver the result as it is?",
    danger: false,
  },
  {
    action: "regenerate",
    label: "Regenerate",
    question: "Regenerate the result from the beginning?",
    danger: false,
  },
  { action: "retry", label: "Retry", question: "Run this job again?", danger: false },
  { action: "reject", label: "Reject", question: "Reject the result?", danger: true },
  { action: "cancel", label: "Cancel", question: "Cancel this job?", danger: true },
] as const;

export function JobPage({ jobId }: { jobId: string }) {
  const { data: job, events, error } = useJob(jobId);
  const readOnly = useReadOnly(error);
  const view = useKindView(job?.kind);
  const typing = useTyping(readOnly ? undefined : jobId, { user: useWho()?.user });

  if (job === undefined && error !== null) return <NotFoundPage what="job" error={error} />;
  if (job === undefined || view === undefined) return <Skeleton rows={6} />;
  const look = lookOfJob(job.status);
  const tab = isSettled(job.status)
    ? `${look.word}: ${job.title}`
    : `${job.progress}% ${job.title}`;
  const output = job.output == null ? undefined : view.output?.(job.output);
  const ending = job.status === "ABORTED" ? endingOf(job).word : undefined;

  return (
    <>
      <PageHeader
        title={job.title}
        tab={tab}
        above={
          <p className="mb-1 flex flex-wrap items-center gap-2 text-sm text-muted">
            <Badge status={job.status} look={look} />
            <span>
              created <Age at={job.createdAt} />
              <ByOther record={job} />
            </span>
            {job.attempt > 1 && <span>attempt {job.attempt}</span>}
            <JobTimes job={job} />
            {job.batchId !== null && !readOnly && (
              <Link
                href={`/batches/${job.batchId}`}
                className="text-accent underline underline-offset-2"
              >
                part of a batch
              </Link>
            )}
            {job.scheduleId != null && !readOnly && (
              <Link
                href={`/schedules/${job.scheduleId}/jobs`}
                className="text-accent underline underline-offset-2"
              >
                of a schedule
              </Link>
            )}
          </p>
        }
      >
        <Faces of={{ jobId }} />
        {!readOnly && (
          <>
            <ShareButton of={{ jobId }} record={job} />
            {isDecidedHere(job) && <Decisions job={job} typing={typing} />}
          </>
        )}
      </PageHeader>
      {/* Within the margin of the header, so that nothing moves when a person begins to write. */}
      <div className="-mt-6 mb-1 flex h-5 sm:justify-end">
        <WritingNow typing={typing} />
      </div>

      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0 space-y-6">
          <section aria-label="Progress" className="rounded-2xl border border-line bg-card p-5">
            <div className="mb-2 flex justify-between gap-4 text-sm">
              <p role="status" className="min-w-0 break-words">
                {ending ?? <Breakable text={job.message} />}
              </p>
              <p className="font-medium tabular-nums">{job.progress}%</p>
            </div>
            <ProgressBar
              percent={job.progress}
              label="Progress of the job"
              bar={ending === undefined || ending === "Failed" ? look.bar : "bg-muted"}
            />
            <WaitingLine job={job} />
          </section>
          <JobDetails details={job.details} />
          <JobOutcome job={job} view={view} advice={output?.advice} />
          {output === undefined ? (
            <>
              <LiveDraft job={job} view={view} />
              {job.output != null && <JobOutput output={job.output} />}
            </>
          ) : (
            output.shown
          )}
          {!readOnly && <JobLog jobId={jobId} />}
          <JobInput job={job} view={view} />
        </div>
        <aside
          aria-label="Timeline"
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
          tabIndex={0}
          className="rounded-2xl border border-line bg-card p-5 lg:sticky lg:top-20 lg:max-h-[calc(100vh-6rem)] lg:overflow-y-auto"
        >
          <h2 className="mb-4 text-base font-semibold">Timeline</h2>
          <Timeline events={events} />
        </aside>
      </div>
    </>
  );
}

function Decisions({ job, typing }: { job: Job; typing: TypingResult }) {
  const { trpc } = useJobwire();
  const decide = useMutation({
    mutationFn: ({
      action,
      note,
    }: {
      action: (typeof DECISIONS)[number]["action"];
      note?: string;
    }) => trpc.job[action].mutate({ jobId: job.id, ...(note === undefined ? {} : { note }) }),
  });
  return (
    <>
      {DECISIONS.filter(({ action }) => entryOf(LIFECYCLE, job.status)?.[action] != null).map(
        (decision) => (
          <DecisionButton
            key={decision.action}
            label={decision.label}
            question={decision.question}
            danger={decision.danger}
            busy={decide.isPending}
            typing={typing}
            onDecide={(note) =>
              decide.mutate({ action: decision.action, ...(note === undefined ? {} : { note }) })
            }
          />
        ),
      )}
      {decide.error !== null && (
        <div className="basis-full">
          <Notice tone="bad" title="The job could not be changed">
            {requestErrorMessage(decide.error)}
          </Notice>
        </div>
      )}
    </>
  );
}

function LiveDraft({ job, view }: { job: Job; view: KindView }) {
  const { text } = useDraft(job.id, job.attempt);
  // Without a text, only a kind that is known to write one has a draft to wait for.
  if (text === "" && (isSettled(job.status) || view.beforeDraft === undefined)) return null;
  const waits = job.startsAt == null ? "turn" : "time";
  const waiting = job.status === "PENDING" ? `The job waits for its ${waits}.` : view.beforeDraft;
  return (
    <Card title="Draft">
      {text === "" ? (
        <p className="min-h-48 text-muted">{waiting} The text appears here as it is written.</p>
      ) : (
        <DraftView text={text} isWritten={job.status !== "PROCESSING"} />
      )}
    </Card>
  );
}
