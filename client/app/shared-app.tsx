/** The page of a share link: one job or batch, for reading. */
import { Link2Off } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { createJobwireClient } from "#client/lib/client.ts";
import { JobwireProvider } from "#client/lib/react.tsx";
import { addressOf, baseUrl } from "./base.ts";
import { BatchPage } from "./pages/batch-page.tsx";
import type { Device } from "./device.ts";
import { JobPage } from "./pages/job-page.tsx";
import { ReadOnlyContext } from "./read-only.ts";
import { type SharedStream, sharedStreamOf } from "./shared-stream.ts";
import { ConnectionBadge } from "./ui/connection-badge.tsx";
import { Empty } from "./ui/empty.tsx";
import { ThemeToggle } from "./ui/header.tsx";
import { PageHeader } from "./ui/page-header.tsx";
import { StaleBanner } from "./ui/stale-banner.tsx";

export function SharedApp({ device }: { device: Device }) {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = () => setHash(location.hash);
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const shared = useMemo(() => sharedStreamOf(hash), [hash]);
  if (shared === undefined) return <NoLink />;
  return <Shared key={shared.token} shared={shared} device={device} />;
}

function Shared(props: { shared: SharedStream; device: Device }) {
  const { device } = props;
  const { token, stream, id } = props.shared;
  const [hasEnded, setEnded] = useState(false);
  const [client] = useState(() =>
    createJobwireClient({ url: baseUrl, token, device: device.text }),
  );
  useEffect(() => device.keep(), [device]);
  const readOnly = useMemo(() => ({ onEnded: () => setEnded(true) }), []);
  if (hasEnded) return <NoLink />;
  return (
    <ReadOnlyContext value={readOnly}>
      <JobwireProvider client={client}>
        <Frame badge={<ConnectionBadge />} banner={<StaleBanner />}>
          {stream === "job" ? <JobPage jobId={id} /> : <BatchPage batchId={id} />}
        </Frame>
      </JobwireProvider>
    </ReadOnlyContext>
  );
}

function NoLink() {
  return (
    <Frame>
      <PageHeader title="This link shows nothing any more" tab="Link ended" />
      <Empty Icon={Link2Off} title="The link has ended">
        <p>It has expired, it was switched off, or its address is not complete.</p>
        <p>Ask the person who sent it for another one.</p>
      </Empty>
    </Frame>
  );
}

function Frame(props: { badge?: ReactNode; banner?: ReactNode; children: ReactNode }) {
  return (
    <>
      <header className="sticky top-0 z-20 border-b border-line bg-card">
        <div className="mx-auto flex max-w-6xl items-center gap-3 px-4 py-2 sm:px-6">
          <p className="flex items-center gap-2 font-semibold tracking-tight">
            <img src={addressOf("/favicon.svg")} alt="" className="size-6" />
            Jobwire
          </p>
          <div className="ml-auto flex items-center gap-2">
            {props.badge}
            <ThemeToggle />
          </div>
        </div>
      </header>
      {props.banner}
      <main id="main" className="mx-auto w-full max-w-6xl px-4 pt-6 pb-24 sm:px-6">
        {props.children}
      </main>
    </>
  );
}
