import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { CalendarClock } from "lucide-react";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { LoadMore } from "#client/app/ui/load-more.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { OwnersSwitch } from "#client/app/ui/owners-switch.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { type ScheduleAction, ScheduleRow } from "#client/app/ui/schedule-row.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useOwners } from "#client/app/use-owners.ts";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";

/** There is no feed of schedules, and they change when they fire. */
const READ_AGAIN_MS = 5000;

export function SchedulesPage() {
  const { trpc } = useJobwire();
  const { allOwners } = useOwners();
  const list = useInfiniteQuery({
    queryKey: ["jobwire", "schedules", `${allOwners}`],
    queryFn: ({ pageParam }) =>
      trpc.schedule.list.query({ allOwners, limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: READ_AGAIN_MS,
    ...UNTIL_ANSWERED,
  });
  const acting = useMutation({
    mutationFn: async ({ id, action }: { id: string; action: ScheduleAction }) => {
      await trpc.schedule[action].mutate({ scheduleId: id });
    },
    onSettled: () => list.refetch(),
  });
  const schedules = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <PageHeader title="Schedules">
        <OwnersSwitch />
        <ButtonLink href="/schedules/new">New schedule</ButtonLink>
      </PageHeader>
      {list.error !== null && (
        <Notice tone="bad" title="The schedules could not be loaded">
          {requestErrorMessage(list.error)}
        </Notice>
      )}
      {acting.error !== null && (
        <Notice tone="bad" title="The schedule was not changed">
          {requestErrorMessage(acting.error)}
        </Notice>
      )}
      {schedules === undefined && list.error === null && <Skeleton rows={4} />}
      {schedules?.length === 0 && (
        <Empty Icon={CalendarClock} title="No schedules yet">
          <p>
            A schedule creates jobs by the clock. Programs make them with{" "}
            <code>schedule.upsert</code>, and kinds declare them in code.
          </p>
        </Empty>
      )}
      <ul className="space-y-2">
        {schedules?.map((schedule) => (
          <ScheduleRow
            key={schedule.id}
            schedule={schedule}
            busy={acting.isPending && acting.variables.id === schedule.id}
            onAct={(action) => acting.mutate({ id: schedule.id, action })}
          />
        ))}
      </ul>
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()} />
      )}
    </>
  );
}
