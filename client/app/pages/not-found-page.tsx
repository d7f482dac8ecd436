import { SearchX } from "lucide-react";
import { ButtonLink } from "#client/app/ui/button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";

export function NotFoundPage(props: { what?: string; why?: string }) {
  const what = props.what ?? "page";
  return (
    <>
      <PageHeader title={`There is no such ${what}`} tab="Not found" />
      <Empty Icon={SearchX} title="Nothing is here">
        <p>{props.why ?? "The address may be misspelt, or what was here was deleted."}</p>
        <ButtonLink href="/">To the jobs</ButtonLink>
      </Empty>
    </>
  );
}
