import { Newspaper } from "lucide-react";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { JobList } from "#client/app/ui/job-list.tsx";
import { OwnersSwitch } from "#client/app/ui/owners-switch.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useOwners } from "#client/app/use-owners.ts";

export function JobsPage() {
  const { allOwners } = useOwners();
  return (
    <>
      <PageHeader title="Jobs">
        <OwnersSwitch />
        <ButtonLink href="/batches/new">New batch</ButtonLink>
      </PageHeader>
      <JobList
        allOwners={allOwners}
        empty={
          <Empty Icon={Newspaper} title="No jobs yet">
            <p>
              Ask for an article and watch it being written. The form is filled in with sample
              pages, so it works at once.
            </p>
            <ButtonLink href="/jobs/new" tone="primary">
              Create the first job
            </ButtonLink>
          </Empty>
        }
      />
    </>
  );
}
