import { SearchX } from "lucide-react";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import type { Failed } from "#client/lib/client.ts";

/** What was asked for is not there, or cannot be shown. */
export function NotFoundPage({ what = "page", error }: { what?: string; error?: Failed }) {
  if (error !== undefined && error.code !== "NOT_FOUND" && error.code !== "BAD_REQUEST") {
    return (
      <>
        <PageHeader title={`The ${what} cannot be shown`} tab="Failed" />
        <Notice tone="bad" title="The server says why">
          {error.message}
        </Notice>
      </>
    );
  }
  return (
    <>
      <PageHeader title={`There is no such ${what}`} tab="Not found" />
      <Empty Icon={SearchX} title="Nothing is here">
        <p>The address may be misspelt, or what was here was deleted.</p>
        {what === "batch" ? (
          <ButtonLink href="/batches">To the batches</ButtonLink>
        ) : (
          <ButtonLink href="/">To the jobs</ButtonLink>
        )}
      </Empty>
    </>
  );
}
