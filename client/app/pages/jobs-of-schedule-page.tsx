/** The jobs that one schedule created. */
import { useQuery } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import { Empty } from "#client/app/ui/empty.tsx";
import { JobList } from "#client/app/ui/job-list.tsx";
import { OwnersSwitch } from "#client/app/ui/owners-switch.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useOwners } from "#client/app/use-owners.ts";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";

export function JobsOfSchedulePage({ scheduleId }: { scheduleId: string }) {
  const { trpc } = useJobwire();
  const { allOwners } = useOwners();
  // Only for its name: a schedule that was deleted has jobs, too.
  const { data } = useQuery({
    queryKey: ["jobwire", "schedule", scheduleId],
    queryFn: () => trpc.schedule.get.query({ scheduleId }),
    ...UNTIL_ANSWERED,
  });
  return (
    <>
      <PageHeader title={data === undefined ? "Jobs of a schedule" : `Jobs of ${data.key}`}>
        <OwnersSwitch />
      </PageHeader>
      <JobList
        scheduleId={scheduleId}
        allOwners={allOwners}
        empty={
          <Empty Icon={Inbox} title="No jobs yet">
            <p>The schedule has created no job, or all of them were deleted.</p>
          </Empty>
        }
      />
    </>
  );
}
