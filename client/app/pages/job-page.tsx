import { useMutation } from "@tanstack/react-query";
import { Fragment } from "react";
import { Link } from "wouter";
import { ArticleView } from "#client/app/ui/article-view.tsx";
import { Badge } from "#client/app/ui/badge.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { DecisionButton } from "#client/app/ui/decision-button.tsx";
import { DraftView } from "#client/app/ui/draft-view.tsx";
import { JOB_LOOK } from "#client/app/ui/looks.ts";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { ProgressBar } from "#client/app/ui/progress-bar.tsx";
import { Timeline } from "#client/app/ui/timeline.tsx";
import { Age } from "#client/app/ui/time.tsx";
import { useDraft, useJob, useJobwire } from "#client/lib/react.tsx";
import { ArticleOutput } from "#shared/article.ts";
import { isSettled, type Job } from "#shared/job.ts";
import { LIFECYCLE } from "#shared/lifecycle.ts";
import { NotFoundPage } from "./not-found-page.tsx";

/** What a person may do, where the lifecycle allows it. */
const DECISIONS = [
  {
    action: "approve",
    label: "Approve",
    question: "Deliver this article as it is?",
    danger: false,
  },
  {
    action: "regenerate",
    label: "Regenerate",
    question: "Write it anew from the beginning?",
    danger: false,
  },
  { action: "retry", label: "Retry", question: "Run this job again?", danger: false },
  { action: "reject", label: "Reject", question: "Reject this article?", danger: true },
  { action: "cancel", label: "Cancel", question: "Cancel this job?", danger: true },
] as const;

export function JobPage({ jobId }: { jobId: string }) {
  const { job, events, error } = useJob(jobId);

  if (job === undefined) {
    return error === undefined ? <Skeleton rows={6} /> : <NotFoundPage what="job" why={error} />;
  }
  const { word, bar } = JOB_LOOK[job.status];
  const tab = isSettled(job.status) ? `${word}: ${job.title}` : `${job.progress}% ${job.title}`;
  const article = ArticleOutput.safeParse(job.output);

  return (
    <>
      <PageHeader
        title={job.title}
        tab={tab}
        above={
          <p className="mb-1 flex flex-wrap items-center gap-2 text-sm text-muted">
            <Badge status={job.status} look={JOB_LOOK[job.status]} />
            <span>
              created <Age at={job.createdAt} />
            </span>
            {job.attempt > 1 && <span>attempt {job.attempt}</span>}
            {job.batchId !== null && (
              <Link
                href={`/batches/${job.batchId}`}
                className="text-accent underline underline-offset-2"
              >
                part of a batch
              </Link>
            )}
          </p>
        }
      >
        <Decisions job={job} />
      </PageHeader>

      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0 space-y-6">
          <section aria-label="Progress" className="rounded-2xl border border-line bg-card p-5">
            <div className="mb-2 flex justify-between gap-4 text-sm">
              <p role="status" className="min-w-0 break-words">
                {job.message}
              </p>
              <p className="font-medium tabular-nums">{job.progress}%</p>
            </div>
            <ProgressBar percent={job.progress} label="Progress of the job" bar={bar} />
          </section>
          <Outcome job={job} failed={article.success && !article.data.report.passed} />
          {article.success ? (
            <ArticleView article={article.data} />
          ) : (
            <>
              <LiveDraft jobId={jobId} attempt={job.attempt} status={job.status} />
              {job.output != null && (
                <Card title="Output">
                  <pre className="text-sm break-words whitespace-pre-wrap">
                    {JSON.stringify(job.output, null, 2)}
                  </pre>
                </Card>
              )}
            </>
          )}
          <Input input={job.input} />
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

function Decisions({ job }: { job: Job }) {
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
      {DECISIONS.filter(({ action }) => LIFECYCLE[job.status][action] !== null).map((decision) => (
        <DecisionButton
          key={decision.action}
          label={decision.label}
          question={decision.question}
          danger={decision.danger}
          busy={decide.isPending}
          onDecide={(note) =>
            decide.mutate({ action: decision.action, ...(note === undefined ? {} : { note }) })
          }
        />
      ))}
      {decide.error !== null && (
        <div className="basis-full">
          <Notice tone="bad" title="That was not done">
            {decide.error.message}
          </Notice>
        </div>
      )}
    </>
  );
}

function Outcome({ job, failed }: { job: Job; failed: boolean }) {
  if (job.status === "ABORTED") {
    return (
      <Notice tone="bad" title="The job ended without an article">
        <p>You can retry it: it runs again from the beginning with the same input.</p>
      </Notice>
    );
  }
  if (job.status === "BLOCKED") {
    return (
      <Notice tone="warn" title="This article needs your decision">
        <p>
          Approve it as it is, reject it, or let it be written anew.
          {failed && " The quality report below says which rules are not met."}
        </p>
      </Notice>
    );
  }
  return null;
}

/** What was asked for. */
function Input({ input }: { input: unknown }) {
  if (typeof input !== "object" || input === null) return null;
  return (
    <Card title="Input">
      <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[10rem_1fr]">
        {Object.entries(input).map(([name, value]) => (
          <Fragment key={name}>
            <dt className="text-muted">{name}</dt>
            <dd className="break-words">
              {typeof value === "string" ? value : JSON.stringify(value)}
            </dd>
          </Fragment>
        ))}
      </dl>
    </Card>
  );
}

function LiveDraft(props: { jobId: string; attempt: number; status: Job["status"] }) {
  const draft = useDraft(props.jobId, props.attempt);
  const waiting =
    props.status === "PENDING" ? "The job waits for its turn." : "Both pages are read first.";
  if (draft.text === "" && isSettled(props.status)) return null;
  return (
    <Card title="Draft">
      {draft.text === "" ? (
        <p className="min-h-48 text-muted">{waiting} The text appears here as it is written.</p>
      ) : (
        <DraftView text={draft.text} />
      )}
    </Card>
  );
}
