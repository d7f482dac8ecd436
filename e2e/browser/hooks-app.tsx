/** A small app with all hooks, which its server renders and the browser takes over. */
import { hydrate, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useState } from "react";
import { hydrateRoot } from "react-dom/client";
import superjson from "superjson";
import { createJobwireClient } from "#client/lib/client.ts";
import {
  JobwireProvider,
  useBatch,
  useConnection,
  useCreateJob,
  useJob,
  useJobs,
  useJobwire,
} from "#client/lib/react.tsx";
import type { ServerTypes } from "#shared/kind-types.ts";

type App = ServerTypes<{
  letters: {
    input: { to: string };
    parsed: { to: string };
    details: { written: number };
    output: { written: number };
  };
}>;
const useApp = useJobwire<App>;

/** `id`: the job of the kind's own part; the other one is looked up as a job of whatever kind. */
export interface Shown {
  id: string;
  otherId: string;
  batchId: string;
}

function Connection() {
  return <p data-testid="connection">{useConnection()}</p>;
}

function Letter({ id, name }: { id: string; name: string }) {
  const { data, status, error, events, draft } = useJob(useApp().kinds.letters, id, {
    draft: true,
  });
  const shown = {
    status,
    code: error?.code,
    state: data?.status,
    written: data?.details?.written,
    output: data?.output?.written,
    events: events.map(({ seq }) => seq),
    draft: draft.text,
  };
  return <pre data-testid={name}>{JSON.stringify(shown)}</pre>;
}

function Lists({ otherId, batchId }: { otherId: string; batchId: string }) {
  const { kinds } = useApp();
  const job = useJob(otherId);
  const batch = useBatch(batchId);
  const typed = useJobs(kinds.letters);
  const all = useJobs({ batchId });
  const none = useJob(kinds.letters, undefined);
  const shown = {
    job: job.data?.title,
    batch: batch.data?.total,
    letters: typed.data?.length,
    inBatch: all.data?.length,
    none: none.status,
  };
  return <pre data-testid="lists">{JSON.stringify(shown)}</pre>;
}

function Create() {
  const create = useCreateJob(useApp().kinds.letters, {
    retryDelay: 0,
    job: ({ to }) => ({ priority: to.length, expiresInMs: 3_600_000 }),
  });
  return (
    <button type="button" onClick={() => create.mutate({ to: "Zoe" })}>
      {create.isSuccess ? `Created ${create.data.id}` : "Create"}
    </button>
  );
}

export function HooksApp(props: Shown & { url: string; cache: QueryClient }) {
  const { url, cache, id } = props;
  const [client] = useState(() => createJobwireClient<App>({ url }));
  const [isOpen, setOpen] = useState(true);
  return (
    <StrictMode>
      <QueryClientProvider client={cache}>
        <JobwireProvider client={client}>
          <Connection />
          <Create />
          <button type="button" onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Hide" : "Show"}
          </button>
          {isOpen && (
            <>
              <Letter id={id} name="first" />
              <Letter id={id} name="second" />
              <Lists {...props} />
            </>
          )}
        </JobwireProvider>
      </QueryClientProvider>
    </StrictMode>
  );
}

/** Takes over what the server has rendered. Its faults are errors of the page. */
export function takeOver(): void {
  const root = document.querySelector("#root");
  if (root === null) throw new Error("The page has no root.");
  const { url, shown, state } = JSON.parse(document.querySelector("#state")?.textContent ?? "") as {
    url: string;
    shown: Shown;
    state: string;
  };
  const cache = new QueryClient();
  hydrate(cache, superjson.parse(state));
  hydrateRoot(root, <HooksApp {...shown} url={url} cache={cache} />, {
    onRecoverableError: reportError,
  });
}
