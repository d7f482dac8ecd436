/** The hooks have the types of the kinds that they are given. */
import { skipToken, useQueryClient } from "@tanstack/react-query";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import {
  jobOptions,
  JobwireProvider,
  useBatch,
  useCreateJob,
  useJob,
  useJobLogs,
  useJobs,
  useJobwire,
} from "#client/lib/react.tsx";
import { defineKind, type KindMapOf } from "#server/kinds/define.ts";
import type { Batch } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import type { LogLine } from "#shared/log-line.ts";

const thumbnails = defineKind({
  name: "thumbnails",
  input: z.object({ url: z.string(), widths: z.array(z.number()).default([320]) }),
  details: z.object({ done: z.number(), of: z.number() }),
  output: z.object({ files: z.array(z.string()) }),
  run: async () => ({ files: [] }),
});
const wordCount = defineKind({
  name: "wordCount",
  input: z.object({ text: z.string() }),
  output: z.object({ words: z.number() }),
  run: async () => ({ words: 0 }),
});

interface App extends ServerTypes<KindMapOf<[typeof thumbnails, typeof wordCount]>> {}

const client = createJobwireClient<App>({ url: "http://localhost:8000" });
const useApp = useJobwire<App>;
declare const id: string | undefined;

test("a provider takes a client of any kinds", () => {
  <JobwireProvider client={client}>{null}</JobwireProvider>;
  <JobwireProvider client={createJobwireClient({ url: "http://localhost:8000" })}>
    {null}
  </JobwireProvider>;
  // @ts-expect-error: a client is no address
  <JobwireProvider client="http://localhost:8000">{null}</JobwireProvider>;
  expectTypeOf(useApp().kinds).toEqualTypeOf<typeof client.kinds>();
  // @ts-expect-error: there is no such kind
  void useApp().kinds.pictures;
});

test("useJob has the input, the details and the output of its kind", () => {
  const result = useJob(client.kinds.thumbnails, id, { enabled: true, staleTime: 1000 });
  if (result.isSuccess) {
    expectTypeOf(result.data.input).toEqualTypeOf<{ url: string; widths: number[] }>();
    expectTypeOf(result.data.output).toEqualTypeOf<{ files: string[] } | null>();
    expectTypeOf(result.data.details).toEqualTypeOf<{ done: number; of: number } | undefined>();
    // @ts-expect-error: the output has no such field
    void result.data.output?.words;
    // @ts-expect-error: a number is no text
    result.data.details?.done satisfies string | undefined;
    // @ts-expect-error: the input has no such field
    void result.data.input.text;
  }
  if (result.status === "error") expectTypeOf(result.error.message).toEqualTypeOf<string>();
  if (result.isPending) expectTypeOf(result.data).toEqualTypeOf<undefined>();
  // @ts-expect-error: without a look at its state there may be no data
  void result.data.status;
  const [newest] = result.events;
  expectTypeOf(newest?.details).toEqualTypeOf<{ done: number; of: number } | undefined>();
  if (newest?.type === "blocked") newest.status satisfies "BLOCKED";
  expectTypeOf(result.connection).toEqualTypeOf<"connecting" | "live" | "stale">();
  expectTypeOf(result.draft.text).toEqualTypeOf<string>();

  const words = useJob(client.kinds.wordCount, skipToken);
  expectTypeOf(words.data?.output).toEqualTypeOf<{ words: number } | null | undefined>();
  // @ts-expect-error: a kind without details has none
  void words.data?.details?.done;
  // @ts-expect-error: there is no such kind
  useJob(client.kinds.pictures, id);
  // @ts-expect-error: an id is a text
  useJob(client.kinds.thumbnails, 1);
  // @ts-expect-error: there is no such option
  useJob(client.kinds.thumbnails, id, { colour: "red" });
});

test("useJob without a kind takes a job of whatever kind", () => {
  const { data, events } = useJob(id, { draft: true });
  expectTypeOf(data?.output).toEqualTypeOf<unknown>();
  expectTypeOf(events).toEqualTypeOf<readonly JobEvent[]>();
  // @ts-expect-error: the output of an unknown kind has to be checked first
  void data?.output.files;
});

test("useJobLogs gives the lines of a job", () => {
  const { lines, error } = useJobLogs(id);
  expectTypeOf(lines).toEqualTypeOf<readonly LogLine[]>();
  expectTypeOf(error?.code).toExtend<string | undefined>();
  // @ts-expect-error: an id is a text
  useJobLogs(1);
});

test("useCreateJob takes the input of its kind, as a caller sends it", () => {
  const create = useCreateJob(client.kinds.thumbnails, {
    onSuccess: (job) => expectTypeOf(job.id).toEqualTypeOf<string>(),
  });
  create.mutate({ url: "https://example.com" });
  create.mutate({ url: "https://example.com", widths: [320] });
  // @ts-expect-error: a width is a number
  create.mutate({ url: "https://example.com", widths: ["320"] });
  // @ts-expect-error: another kind's input
  create.mutate({ text: "One two" });
  // @ts-expect-error: there is no such field
  create.mutate({ url: "https://example.com", colour: "red" });
  expectTypeOf(create.data?.result()).toEqualTypeOf<Promise<{ files: string[] }> | undefined>();
  useCreateJob(client.kinds.thumbnails, { job: { priority: 5, runAt: new Date() }, retry: 2 });
  useCreateJob(client.kinds.thumbnails, {
    job({ url }) {
      expectTypeOf(url).toBeString();
      return { debounce: { key: url, windowMs: 500 } };
    },
  });
  // @ts-expect-error: there is no such option of a job
  useCreateJob(client.kinds.thumbnails, { job: { colour: "red" } });
  // @ts-expect-error: the hook itself creates the job
  useCreateJob(client.kinds.thumbnails, { mutationFn: async () => undefined });
});

test("useJobs has the details of its kind, and no outputs", () => {
  const { data } = useJobs(client.kinds.thumbnails, { status: "PROCESSING" });
  expectTypeOf(data?.[0]?.details).toEqualTypeOf<{ done: number; of: number } | undefined>();
  // @ts-expect-error: a list has no outputs
  void data?.[0]?.output;
  // @ts-expect-error: the kind is known
  useJobs(client.kinds.thumbnails, { kind: "wordCount" });
  // @ts-expect-error: there is no such status
  useJobs({ status: "DONE" });
  expectTypeOf(useJobs({ kind: "thumbnails" }).data?.[0]?.details).toEqualTypeOf<unknown>();
});

test("useBatch has a batch", () => {
  expectTypeOf(useBatch(id).data).toEqualTypeOf<Batch | undefined>();
});

test("the query of a job has its types in the cache, too", () => {
  const cache = useQueryClient();
  const { queryKey } = jobOptions(client.kinds.thumbnails, "id");
  expectTypeOf(cache.getQueryData(queryKey)?.output).toEqualTypeOf<
    { files: string[] } | null | undefined
  >();
  expectTypeOf(
    cache.getQueryData(jobOptions(client, "id").queryKey)?.output,
  ).toEqualTypeOf<unknown>();
});
