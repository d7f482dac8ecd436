import { Inbox } from "lucide-react";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { JobList } from "#client/app/ui/job-list.tsx";
import { OwnersSwitch } from "#client/app/ui/owners-switch.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { partsOf } from "#client/app/kinds.ts";
import { useKinds } from "#client/app/use-kinds.ts";
import { useOwners } from "#client/app/use-owners.ts";

export function JobsPage() {
  const { allOwners } = useOwners();
  const invitation = useInvitation();
  return (
    <>
      <PageHeader title="Jobs">
        <OwnersSwitch />
        <ButtonLink href="/batches/new">New batch</ButtonLink>
      </PageHeader>
      <JobList
        allOwners={allOwners}
        empty={
          <Empty Icon={Inbox} title="No jobs yet">
            <p>{invitation}</p>
            <ButtonLink href="/jobs/new" tone="primary">
              Create the first job
            </ButtonLink>
          </Empty>
        }
      />
    </>
  );
}

function useInvitation(): string {
  const [only, ...others] = useKinds().kinds ?? [];
  const parts = only !== undefined && others.length === 0 ? partsOf(only) : undefined;
  return parts?.invitation ?? "Create one, and watch its progress here as it happens.";
}
