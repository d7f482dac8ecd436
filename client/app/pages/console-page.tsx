/** The messages of one job on both protocols: legacy Socket.IO beside tRPC. */
import { type FormEvent, useEffect, useState } from "react";
import { io } from "socket.io-client";
import { Link, useLocation, useSearchParams } from "wouter";
import { basePath } from "#client/app/base.ts";
import { Button } from "#client/app/ui/button.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Clock } from "#client/app/ui/time.tsx";
import { useJobs, useJobwire } from "#client/lib/react.tsx";
import { LEGACY_REQUEST } from "#shared/legacy.ts";

interface Frame {
  n: number;
  at: Date;
  name: string;
  payload: unknown;
}

/** Older frames are dropped. */
const KEEP = 500;

export default function ConsolePage() {
  const [params] = useSearchParams();
  const jobId = params.get("job") ?? "";
  const [, navigate] = useLocation();
  const { data: jobs = [] } = useJobs();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const id = new FormData(event.currentTarget).get("job");
    if (typeof id === "string") navigate(`/console?job=${encodeURIComponent(id.trim())}`);
  }

  return (
    <>
      <PageHeader title="Console" />
      <form
        key={jobId}
        onSubmit={submit}
        className="mb-6 flex flex-wrap items-start gap-3 rounded-2xl border border-line bg-card p-5"
      >
        <div className="min-w-0 flex-1 basis-80">
          <TextField
            id="job"
            name="job"
            label="Job id"
            defaultValue={jobId}
            list="recent-jobs"
            autoComplete="off"
            spellCheck={false}
            hint="Shows the job's messages on both protocols: legacy Socket.IO from now on, tRPC with the whole log."
          />
          <datalist id="recent-jobs">
            {jobs.slice(0, 20).map((job) => (
              <option key={job.id} value={job.id}>
                {job.title}
              </option>
            ))}
          </datalist>
        </div>
        <Button type="submit" tone="primary" className="py-2.5 sm:mt-6">
          Watch
        </Button>
      </form>
      {jobId === "" ? <Recent /> : <Wires key={jobId} jobId={jobId} />}
    </>
  );
}

function Recent() {
  const { data: jobs = [] } = useJobs();
  return (
    <Card title="Recent jobs">
      {jobs.length === 0 && <p className="text-muted">There are no jobs yet.</p>}
      <ul className="space-y-1">
        {jobs.slice(0, 8).map((job) => (
          <li key={job.id} className="truncate text-sm">
            <Link
              href={`/console?job=${job.id}`}
              className="text-accent underline underline-offset-2"
            >
              {job.title}
            </Link>{" "}
            <span className="text-muted">{job.message}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Wires({ jobId }: { jobId: string }) {
  const legacy = useLegacyFrames(jobId);
  const { frames, error } = useTrpcFrames(jobId);
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <Wire title="Socket.IO" frames={legacy} />
      <div className="min-w-0 space-y-4">
        {error !== undefined && (
          <Notice tone="bad" title="The tRPC subscription failed">
            {error}
          </Notice>
        )}
        <Wire title="tRPC" frames={frames} />
      </div>
    </div>
  );
}

function Wire({ title, frames }: { title: string; frames: readonly Frame[] }) {
  const text = () =>
    frames.map(({ name, payload }) => `${name} ${JSON.stringify(payload)}`).join("\n");
  return (
    <Card
      title={title}
      actions={<Button onClick={() => void navigator.clipboard.writeText(text())}>Copy all</Button>}
    >
      <ol
        aria-label={`Frames of ${title}, newest last`}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-[36rem] space-y-2 overflow-y-auto font-mono text-xs"
      >
        {frames.length === 0 && <li className="text-muted">No messages yet.</li>}
        {frames.map((frame) => (
          <li key={frame.n} className="rounded-lg bg-sunken p-2">
            <p className="mb-1 flex justify-between gap-2">
              <span className="font-semibold">{frame.name}</span>
              <span className="text-muted">
                <Clock at={frame.at} />
              </span>
            </p>
            <pre className="whitespace-pre-wrap break-words">
              {JSON.stringify(frame.payload, null, 1)}
            </pre>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function append(frames: readonly Frame[], name: string, payload: unknown): Frame[] {
  const n = (frames.at(-1)?.n ?? 0) + 1;
  return [...frames, { n, at: new Date(), name, payload }].slice(-KEEP);
}

function useLegacyFrames(jobId: string): readonly Frame[] {
  const [frames, setFrames] = useState<readonly Frame[]>([]);
  useEffect(() => {
    const socket = io(location.origin, { path: `${basePath}/socket.io`, forceNew: true });
    socket.onAny((name: string, payload: unknown) =>
      setFrames((before) => append(before, name, payload)),
    );
    socket.on("connect", () => socket.emit(LEGACY_REQUEST.subscribeJob, { job_id: jobId }));
    return () => void socket.disconnect();
  }, [jobId]);
  return frames;
}

function useTrpcFrames(jobId: string) {
  const { trpc } = useJobwire();
  const [frames, setFrames] = useState<readonly Frame[]>([]);
  const [error, setError] = useState<string>();
  useEffect(() => {
    const subscription = trpc.job.onUpdate.subscribe(
      { jobId, lastEventId: "0", follow: true },
      {
        onData: ({ id, data }) => setFrames((before) => append(before, `${id} ${data.type}`, data)),
        onError: ({ message }) => setError(message),
      },
    );
    return () => subscription.unsubscribe();
  }, [trpc, jobId]);
  return { frames, error };
}
