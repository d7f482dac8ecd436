import { useQuery } from "@tanstack/react-query";
import { Layers } from "lucide-react";
import { Link } from "wouter";
import { BATCH_LOOK, BatchBadge } from "#client/app/ui/batch-badge.tsx";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { ProgressBar } from "#client/app/ui/status.tsx";
import { Age } from "#client/app/ui/time.tsx";
import { useBatch, useJobwire } from "#client/lib/react.tsx";
import type { Batch } from "#shared/batch.ts";

export function BatchesPage() {
  const { trpc } = useJobwire();
  const { data, error } = useQuery({
    queryKey: ["jobwire", "batches"],
    queryFn: () => trpc.batch.list.query({ limit: 50 }),
  });
  return (
    <>
      <PageHeader title="Batches">
        <ButtonLink href="/batches/new" tone="plain">
          New batch
        </ButtonLink>
      </PageHeader>
      {error !== null && (
        <Notice tone="bad" title="The batches could not be loaded">
          {error.message}
        </Notice>
      )}
      {data === undefined && error === null && <Skeleton rows={4} />}
      {data?.items.length === 0 && (
        <Empty Icon={Layers} title="No batches yet">
          <p>A batch is many jobs at once, from a CSV file with a row for each article.</p>
          <ButtonLink href="/batches/new" tone="primary">
            Create a batch
          </ButtonLink>
        </Empty>
      )}
      <ul className="space-y-2">
        {data?.items.map((batch) => (
          <BatchRow key={batch.id} known={batch} />
        ))}
      </ul>
    </>
  );
}

function BatchRow({ known }: { known: Batch }) {
  const batch = useBatch(known.id).batch ?? known;
  const name = batch.name ?? "Batch without a name";
  return (
    <li>
      <Link
        href={`/batches/${batch.id}`}
        className="grid gap-x-4 gap-y-2 rounded-xl border border-line bg-card px-4 py-3 transition-colors hover:border-accent sm:grid-cols-[1fr_9rem_7.5rem]"
      >
        <span className="min-w-0">
          <span className="block truncate font-medium">{name}</span>
          <span className="block truncate text-sm text-muted tabular-nums">
            {batch.completed} of {batch.total} settled
          </span>
        </span>
        <span className="flex items-center gap-2 text-sm tabular-nums">
          <ProgressBar
            percent={batch.progress}
            label={`Progress of ${name}`}
            bar={BATCH_LOOK[batch.status].bar}
            thin
          />
          <span className="w-10 text-right text-muted">{batch.progress}%</span>
        </span>
        <span className="flex items-center justify-between gap-2 sm:flex-col sm:items-end sm:gap-1">
          <BatchBadge status={batch.status} />
          <span className="text-xs text-muted">
            <Age at={batch.createdAt} />
          </span>
        </span>
      </Link>
    </li>
  );
}
