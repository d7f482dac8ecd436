/** Rendering on a server, and taking over what it has read. */
import { dehydrate, hydrate, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToString } from "react-dom/server";
import superjson from "superjson";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createJobwireClient, type JobwireClient } from "#client/lib/client.ts";
import {
  batchOptions,
  jobOptions,
  JobwireProvider,
  useBatch,
  useConnection,
  useCreateJob,
  useDraft,
  useJob,
  useJobs,
  useJobwire,
} from "#client/lib/react.tsx";
import { defineKind, type KindMapOf } from "#server/kinds/define.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

const letters = defineKind({
  name: "letters",
  input: z.object({ to: z.string() }),
  output: z.null(),
  run: async () => null,
});
type App = ServerTypes<KindMapOf<[typeof letters]>>;
const useApp = useJobwire<App>;

let server: Awaited<ReturnType<typeof openTestServer>>;
beforeEach(async () => {
  server = await openTestServer({ kinds: [letters] });
});

function Everything({ id, batchId }: { id: string; batchId: string }) {
  const { kinds } = useApp();
  const typed = useJob(kinds.letters, id, { draft: true });
  const known = useJob(id);
  const batch = useBatch(batchId);
  const lists = [useJobs(kinds.letters), useJobs()];
  const create = useCreateJob(kinds.letters);
  const { text } = useDraft(id, 1);
  const shown = [
    useConnection(),
    typed.status,
    typed.data?.input.to,
    known.status,
    batch.data?.total,
    ...lists.map(({ status, data }) => `${status} ${data?.length ?? 0}`),
    create.status,
    text.length,
  ];
  return <p>{shown.join(", ")}</p>;
}

function render(client: JobwireClient<App["~kinds"]>, cache: QueryClient, ids: string[]): string {
  const [id = "", batchId = ""] = ids;
  return renderToString(
    <QueryClientProvider client={cache}>
      <JobwireProvider client={client}>
        <Everything id={id} batchId={batchId} />
      </JobwireProvider>
    </QueryClientProvider>,
  );
}

test.each(["ws", "sse"] as const)(
  "on a server the hooks of a client over %s show that there is no data yet, and connect to nothing",
  async (transport) => {
    const client = createJobwireClient<App>({ url: server.url, transport, getToken: () => "t" });
    onTestFinished(() => client.close());
    const cache = new QueryClient();
    expect(render(client, cache, ["id", "batch"])).toBe(
      "<p>connecting, pending, , pending, , pending 0, pending 0, idle, 0</p>",
    );
    expect(dehydrate(cache).queries).toEqual([]);
    // A connection that the client had opened would have been accepted before this one.
    await fetch(server.url);
    expect(server.sockets).toHaveLength(1);
  },
);

test("a server renders what it has read before, and the browser gets no more than that", async () => {
  const client = createJobwireClient<App>({ url: server.url });
  onTestFinished(() => client.close());
  const { id } = await client.kinds.letters.create({ to: "Ann" });
  const batch = await client.kinds.letters.createMany([{ to: "Bob" }, { to: "Cy" }]);
  const cache = new QueryClient();
  await cache.prefetchQuery(jobOptions(client.kinds.letters, id));
  await cache.prefetchQuery(batchOptions(client, batch.id));
  const page = render(client, cache, [id, batch.id]);
  expect(page).toBe("<p>connecting, success, Ann, pending, 2, pending 0, pending 0, idle, 0</p>");

  const state = superjson.stringify(dehydrate(cache));
  const browser = new QueryClient();
  hydrate(browser, superjson.parse(state));
  expect(render(client, browser, [id, batch.id])).toBe(page);
  expect(
    browser
      .getQueryCache()
      .getAll()
      .filter(({ state }) => state.data !== undefined),
  ).toHaveLength(2);
});

const Lonely = () => <p>{useConnection()}</p>;

test("hooks without a provider say which one they need", () => {
  const cache = new QueryClient();
  expect(() =>
    renderToString(
      <QueryClientProvider client={cache}>
        <Lonely />
      </QueryClientProvider>,
    ),
  ).toThrow("Jobwire's hooks need a <JobwireProvider client={…}> around the component.");
});
