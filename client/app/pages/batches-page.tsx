import { useInfiniteQuery } from "@tanstack/react-query";
import { Layers } from "lucide-react";
import { useEffect } from "react";
import { pluralize } from "#shared/pluralize.ts";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { ListRow } from "#client/app/ui/list-row.tsx";
import { lookOfBatch } from "#client/app/ui/looks.ts";
import { LoadMore } from "#client/app/ui/load-more.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { OwnersSwitch } from "#client/app/ui/owners-switch.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useOtherOwner, useOwners } from "#client/app/use-owners.ts";
import { UNTIL_ANSWERED, useBatch, useJobs, useJobwire } from "#client/lib/react.tsx";
import type { Batch } from "#shared/batch.ts";

export function BatchesPage() {
  const { allOwners } = useOwners();
  const list = useBatches(allOwners);
  return (
    <>
      <PageHeader title="Batches">
        <OwnersSwitch />
        <ButtonLink href="/batches/new" tone="plain">
          New batch
        </ButtonLink>
      </PageHeader>
      {list.error !== null && (
        <Notice tone="bad" title="The batches could not be loaded">
          {requestErrorMessage(list.error)}
        </Notice>
      )}
      {list.batches === undefined && list.error === null && <Skeleton rows={4} />}
      {list.batches?.length === 0 && (
        <Empty Icon={Layers} title="No batches yet">
          <p>A batch is many jobs at once, whose progress is shown together.</p>
          <ButtonLink href="/batches/new" tone="primary">
            Create a batch
          </ButtonLink>
        </Empty>
      )}
      <ul className="space-y-2">
        {list.batches?.map((batch) => (
          <BatchRow key={batch.id} known={batch} />
        ))}
      </ul>
      {list.hasMore && <LoadMore isLoading={list.isLoadingMore} onLoad={list.loadMore} />}
    </>
  );
}

/** Batches, newest first. The feed shows jobs of batches that other clients create, which triggers a new read. */
function useBatches(allOwners: boolean) {
  const { trpc } = useJobwire();
  const { data, refetch, ...list } = useInfiniteQuery({
    queryKey: ["jobwire", "batches", `${allOwners}`],
    queryFn: ({ pageParam }) => trpc.batch.list.query({ allOwners, limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    ...UNTIL_ANSWERED,
  });
  const batches = data?.pages.flatMap((page) => page.items);
  const newest = useJobs({ allOwners }).data?.find(({ batchId }) => batchId !== null)?.batchId;
  const isUnknown = newest != null && batches?.every(({ id }) => id !== newest) === true;
  useEffect(() => {
    if (isUnknown) void refetch();
  }, [isUnknown, newest, refetch]);

  return {
    batches,
    error: list.error,
    hasMore: list.hasNextPage,
    loadMore: () => void list.fetchNextPage(),
    isLoadingMore: list.isFetchingNextPage,
  };
}

function BatchRow({ known }: { known: Batch }) {
  const batch = useBatch(known.id).data ?? known;
  return (
    <ListRow
      href={`/batches/${batch.id}`}
      title={batch.name ?? "Batch without a name"}
      owner={useOtherOwner(batch)}
      detail={detailOf(batch)}
      progress={batch.progress}
      status={batch.status}
      look={lookOfBatch(batch)}
      createdAt={batch.createdAt}
    />
  );
}

function detailOf({ completed, total, blocked }: Batch): string {
  const settled = `${completed} of ${pluralize(total, "job")} settled`;
  if (blocked === 0) return settled;
  return `${settled}, ${blocked} ${blocked === 1 ? "needs" : "need"} your decision`;
}
