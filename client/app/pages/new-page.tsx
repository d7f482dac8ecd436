/** New jobs and batches: of the kind in the address, of the only kind that there is, or of one that the person chooses. */
import type { ReactNode } from "react";
import { Link, useSearch } from "wouter";
import { partsOf } from "#client/app/kinds.ts";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { Empty } from "#client/app/ui/empty.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useKinds } from "#client/app/use-kinds.ts";
import type { KindInfo } from "#shared/api.ts";
import { PackageOpen } from "lucide-react";
import { AnyKindBatchPage } from "./any-kind-batch-page.tsx";
import { AnyKindJobPage } from "./any-kind-job-page.tsx";
import { NotFoundPage } from "./not-found-page.tsx";

interface Wanted {
  /** From the address. */
  kind: string | undefined;
}

export function NewJobPage({ kind }: Wanted) {
  return (
    <OfKind kind={kind} title="New job" path="/jobs/new">
      {(info, above) => {
        const Own = partsOf(info)?.NewJobPage;
        return Own ? <Own above={above} /> : <AnyKindJobPage info={info} above={above} />;
      }}
    </OfKind>
  );
}

export function NewBatchPage({ kind }: Wanted) {
  return (
    <OfKind kind={kind} title="New batch" path="/batches/new">
      {(info, above) => {
        const Own = partsOf(info)?.NewBatchPage;
        return Own ? <Own above={above} /> : <AnyKindBatchPage info={info} above={above} />;
      }}
    </OfKind>
  );
}

function OfKind(
  props: Wanted & {
    title: string;
    path: string;
    children(info: KindInfo, above: ReactNode): ReactNode;
  },
) {
  const { kind, title, path, children } = props;
  const { kinds, error } = useKinds();
  if (kinds === undefined) {
    return error === null ? (
      <Skeleton rows={6} />
    ) : (
      <>
        <PageHeader title={title} />
        <Notice tone="bad" title="The kinds of jobs could not be loaded">
          {requestErrorMessage(error)}
        </Notice>
      </>
    );
  }
  const wanted = kind ?? (kinds.length === 1 ? kinds[0]?.name : undefined);
  const info = kinds.find(({ name }) => name === wanted);
  if (info !== undefined) return children(info, kinds.length > 1 && <OtherKinds path={path} />);
  if (wanted !== undefined) return <NotFoundPage what="kind of job" />;
  return <Choice title={title} path={path} kinds={kinds} />;
}

function OtherKinds({ path }: { path: string }) {
  return (
    <p className="mb-1 text-sm">
      <Link href={path} className="text-accent underline underline-offset-2">
        Choose another kind
      </Link>
    </p>
  );
}

function Choice(props: { title: string; path: string; kinds: readonly KindInfo[] }) {
  const { title, path, kinds } = props;
  const search = useSearch();
  if (kinds.length === 0) {
    return (
      <>
        <PageHeader title={title} />
        <Empty Icon={PackageOpen} title="No kinds of jobs">
          <p>This server has no kind of job, so nothing can be created here.</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHeader title={title} />
      <h2 className="mb-3 text-base font-semibold">Choose a kind</h2>
      <ul className="grid gap-3 sm:grid-cols-2">
        {kinds.map(({ name, description }) => (
          <li key={name}>
            <Link
              href={`${path}/${name}${search === "" ? "" : `?${search}`}`}
              className="block h-full rounded-xl border border-line bg-card px-4 py-3 transition-colors hover:border-accent"
            >
              <span className="block font-medium break-words">{name}</span>
              <span className="line-clamp-3 text-sm break-words text-muted">{description}</span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
