import { SearchX } from "lucide-react";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import type { Failed } from "#client/lib/client.ts";

/** Shown for a missing page, job or batch, and for one that cannot be read. */
export function NotFoundPage({ what = "page", error }: { what?: string; error?: Failed }) {
  if (error !== undefined && error.code !== "NOT_FOUND" && error.code !== "BAD_REQUEST") {
    return (
      <>
        <PageHeader title={`The ${what} cannot be shown`} tab="Failed" />
        <Notice tone="bad" title="The server answered with an error">
          {error.message}
        </Notice>
      </>
    );
  }
  return (
    <>
      <PageHeader title={`There is no such ${what}`} tab="Not found" />
      <Empty Icon={SearchX} title="Not found">
        <p>The address may be misspelt, or the {what} was deleted.</p>
        {what === "batch" ? (
          <ButtonLink href="/batches">Go to batches</ButtonLink>
        ) : (
          <ButtonLink href="/">Go to jobs</ButtonLink>
        )}
      </Empty>
    </>
  );
}
