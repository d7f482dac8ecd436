import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Server } from "lucide-react";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { Breakable } from "#client/app/ui/breakable.tsx";
import { Button } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { LoadMore } from "#client/app/ui/load-more.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { PauseButton } from "#client/app/ui/pause-button.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { Age } from "#client/app/ui/time.tsx";
import { type WorkerAction, WorkerRow } from "#client/app/ui/worker-row.tsx";
import { useMe } from "#client/app/use-me.ts";
import { usePauses } from "#client/app/use-pauses.ts";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import { isOfAll } from "#shared/pause.ts";

/** Workers tell what they do every few seconds. */
const READ_AGAIN_MS = 2000;

export function WorkersPage() {
  const { trpc } = useJobwire();
  const { pauses, pause } = usePauses();
  const list = useInfiniteQuery({
    queryKey: ["jobwire", "workers"],
    queryFn: ({ pageParam }) => trpc.worker.list.query({ limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: READ_AGAIN_MS,
    ...UNTIL_ANSWERED,
  });
  const acting = useMutation({
    mutationFn: async ({ id, action }: { id: string; action: WorkerAction }) => {
      await trpc.worker[action].mutate({ workerId: id });
    },
    onSettled: () => list.refetch(),
  });
  const workers = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <PageHeader title="Workers">
        {!pauses.some(isOfAll) && (
          <PauseButton
            label="Pause jobs"
            question="Pause jobs of all tenants?"
            busy={pause.isPending}
            onPause={(what) => pause.mutate(what)}
          />
        )}
      </PageHeader>
      {list.error !== null && (
        <Notice tone="bad" title="The workers could not be loaded">
          {requestErrorMessage(list.error)}
        </Notice>
      )}
      {acting.error !== null && (
        <Notice tone="bad" title="The worker was not told">
          {requestErrorMessage(acting.error)}
        </Notice>
      )}
      {pause.error !== null && (
        <Notice tone="bad" title="Nothing was paused">
          {requestErrorMessage(pause.error)}
        </Notice>
      )}
      <OtherPauses />
      {workers === undefined && list.error === null && <Skeleton rows={4} />}
      {workers?.length === 0 && (
        <Empty Icon={Server} title="No workers">
          <p>
            Jobs wait until one starts: <code>jobwire worker</code>.
          </p>
        </Empty>
      )}
      <ul className="space-y-2">
        {workers?.map((worker) => (
          <WorkerRow
            key={worker.id}
            worker={worker}
            busy={acting.isPending && acting.variables.id === worker.id}
            onAct={(action) => acting.mutate({ id: worker.id, action })}
          />
        ))}
      </ul>
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()} />
      )}
    </>
  );
}

/** Pauses of other tenants. The banner shows those that concern the operator's own. */
function OtherPauses() {
  const { caller } = useMe();
  const { pauses, resume } = usePauses();
  const others = pauses.filter(({ tenant }) => tenant !== undefined && tenant !== caller?.tenantId);
  if (others.length === 0) return null;
  return (
    <section aria-label="Paused tenants" className="mb-6">
      <h2 className="mb-2 font-medium">Paused tenants</h2>
      <ul className="divide-y divide-line rounded-xl border border-line bg-card px-4 text-sm">
        {others.map(({ tenant, kind, at, note }) => (
          <li key={JSON.stringify([tenant, kind])} className="flex items-center gap-3 py-2">
            <p className="min-w-0 flex-1 wrap-anywhere">
              <Breakable text={tenant ?? ""} />
              <span className="text-muted">
                {kind !== undefined && ` · the kind ${kind}`} · since <Age at={at} />
                {note !== "" && ` · ${note}`}
              </span>
            </p>
            <Button disabled={resume.isPending} onClick={() => resume.mutate({ tenant, kind })}>
              Resume
            </Button>
          </li>
        ))}
      </ul>
      {resume.error !== null && (
        <Notice tone="bad" title="The pause did not end">
          {requestErrorMessage(resume.error)}
        </Notice>
      )}
    </section>
  );
}
