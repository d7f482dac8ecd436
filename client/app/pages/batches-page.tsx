import { useQuery } from "@tanstack/react-query";
import { Layers } from "lucide-react";
import { counted } from "#client/app/article-words.ts";
import { whyNot } from "#client/app/failure.ts";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { ListRow } from "#client/app/ui/list-row.tsx";
import { lookOfBatch } from "#client/app/ui/looks.ts";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
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
          {whyNot(error)}
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
  return (
    <ListRow
      href={`/batches/${batch.id}`}
      title={batch.name ?? "Batch without a name"}
      detail={detailOf(batch)}
      progress={batch.progress}
      status={batch.status}
      look={lookOfBatch(batch)}
      createdAt={batch.createdAt}
    />
  );
}

function detailOf({ completed, total, blocked }: Batch): string {
  const settled = `${completed} of ${counted(total, "job")} settled`;
  if (blocked === 0) return settled;
  return `${settled}, ${blocked} ${blocked === 1 ? "needs" : "need"} your decision`;
}
