/** The types that a client infers from the server: inputs, outputs and entries of streams. */
import type { createTRPCClient } from "@trpc/client";
import type {
  AnyTRPCRouter,
  inferRouterInputs,
  inferRouterOutputs,
  TRPCBuiltRouter,
} from "@trpc/server";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { defineKind, type KindMapOf } from "#server/kinds/define.ts";
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { ErrorCode } from "#shared/errors.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { LogFrame } from "#shared/log-line.ts";
import type { Job, JobStatus, JobSummary } from "#shared/job.ts";
import type { Presence } from "#shared/presence.ts";
import type { ScheduleDetails, ScheduleSummary } from "#shared/schedule.ts";
import type { Api, ApiRouter } from "#shared/api.ts";
import type { Context } from "./context.ts";
import type { AppRouter } from "./router.ts";

type Inputs = inferRouterInputs<ApiRouter>;
type Outputs = inferRouterOutputs<ApiRouter>;
type Client = ReturnType<typeof createTRPCClient<ApiRouter>>;
declare const client: Client;
const jobId = "01a20665-8cab-704e-9437-209e0533c3ad";

type TypesOf<Router extends AnyTRPCRouter> = Router["_def"]["_config"]["$types"];
type WithContext<Types, Context> = Omit<Types, "ctx"> & { ctx: Context };

test("the server has exactly the procedures that clients infer their calls from", () => {
  type Record = AppRouter["_def"]["record"];
  expectTypeOf<Omit<Record, "kinds">>().toEqualTypeOf<Omit<Api, "kinds">>();
  expectTypeOf<keyof Record>().toEqualTypeOf<keyof Api>();
  type ServerInputs = inferRouterInputs<AppRouter>;
  type ServerOutputs = inferRouterOutputs<AppRouter>;
  expectTypeOf<Omit<ServerInputs, "kinds">>().toEqualTypeOf<Omit<Inputs, "kinds">>();
  expectTypeOf<Omit<ServerOutputs, "kinds">>().toEqualTypeOf<Omit<Outputs, "kinds">>();
  expectTypeOf<Record["kinds"][string]>().toEqualTypeOf<Api["kinds"][string]>();
  expectTypeOf<ServerInputs["kinds"][string]>().toEqualTypeOf<Inputs["kinds"][string]>();
  expectTypeOf<ServerOutputs["kinds"][string]>().toEqualTypeOf<Outputs["kinds"][string]>();
  expectTypeOf<Omit<TypesOf<AppRouter>, "ctx">>().toEqualTypeOf<Omit<TypesOf<ApiRouter>, "ctx">>();
  expectTypeOf<AppRouter>().toExtend<
    TRPCBuiltRouter<WithContext<TypesOf<ApiRouter>, Context>, Api>
  >();
});

test("outputs are the records themselves, with dates", () => {
  expectTypeOf<Outputs["job"]["create"]>().toEqualTypeOf<Job>();
  expectTypeOf<Outputs["job"]["get"]>().toEqualTypeOf<Job>();
  expectTypeOf<Outputs["job"]["cancel"]>().toEqualTypeOf<Job>();
  expectTypeOf<Outputs["job"]["get"]["createdAt"]>().toEqualTypeOf<Date>();
  expectTypeOf<Outputs["job"]["get"]["status"]>().toEqualTypeOf<JobStatus>();
  expectTypeOf<Outputs["job"]["list"]["items"]>().toEqualTypeOf<JobSummary[]>();
  expectTypeOf<Outputs["job"]["list"]["feed"]>().toEqualTypeOf<number>();
  expectTypeOf<Outputs["job"]["events"]["items"]>().toEqualTypeOf<JobEvent[]>();
  expectTypeOf<Outputs["schedule"]["upsert"]>().toEqualTypeOf<ScheduleSummary>();
  expectTypeOf<Outputs["schedule"]["get"]>().toEqualTypeOf<ScheduleDetails>();
  expectTypeOf<Outputs["schedule"]["trigger"]>().toEqualTypeOf<Job>();
  expectTypeOf<Outputs["batch"]["create"]>().toEqualTypeOf<Batch>();
  expectTypeOf<Outputs["batch"]["list"]["nextCursor"]>().toEqualTypeOf<string | null>();
});

test("streams carry their entries under a cursor", () => {
  client.job.onUpdate.subscribe(
    { jobId },
    {
      onData({ id, data }) {
        expectTypeOf(id).toEqualTypeOf<string>();
        expectTypeOf(data).toEqualTypeOf<JobEvent>();
        if (data.type === "blocked") expectTypeOf(data.status).toEqualTypeOf<"BLOCKED">();
        if (data.status === "ABORTED") {
          expectTypeOf(data.type).toEqualTypeOf<"aborted" | "rejected">();
        }
      },
      onError(error) {
        expectTypeOf(error.data?.appCode).toEqualTypeOf<ErrorCode | undefined>();
        expectTypeOf(error.data?.zodError?.fieldErrors).toEqualTypeOf<
          Record<string, string[]> | undefined
        >();
      },
    },
  );
  client.job.onOutput.subscribe(
    { jobId, lastEventId: "3" },
    { onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<DraftFrame>() },
  );
  client.job.onLog.subscribe(
    { jobId, lastEventId: "3", follow: true },
    { onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<LogFrame>() },
  );
  client.batch.onUpdate.subscribe(
    { batchId: jobId, follow: true },
    { onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<BatchAggregate>() },
  );
  client.job.onPresence.subscribe(
    { jobId, visible: false, device: "a device" },
    { onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<Presence>() },
  );
  client.presence.onUpdate.subscribe(undefined, {
    onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<Presence>(),
  });
  client.feed.onUpdate.subscribe(undefined, {
    onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<FeedEntry>(),
  });
});

test("inputs have required and optional fields", () => {
  expectTypeOf<Inputs["job"]["get"]>().toEqualTypeOf<{ jobId: string }>();
  expectTypeOf<{ jobId: string }>().toExtend<Inputs["job"]["onUpdate"]>();
  expectTypeOf<{ jobId: string; note: string }>().toExtend<Inputs["job"]["reject"]>();
  expectTypeOf<undefined>().toExtend<Inputs["job"]["list"]>();
  expectTypeOf<undefined>().toExtend<Inputs["feed"]["onUpdate"]>();
  expectTypeOf<{ kind: string; input: unknown }>().toExtend<Inputs["job"]["create"]>();
});

test("inputs that the server would refuse do not compile", () => {
  // @ts-expect-error: a job has an id
  void client.job.get.query({});
  // @ts-expect-error: an id is a text
  void client.job.get.query({ jobId: 1 });
  // @ts-expect-error: a job has a kind
  void client.job.create.mutate({ input: {} });
  // @ts-expect-error: there is no such status
  void client.job.list.query({ status: "DONE" });
  // @ts-expect-error: a cursor is a text
  client.job.onUpdate.subscribe({ jobId, lastEventId: 5 }, {});
  // @ts-expect-error: a batch is a list of jobs
  void client.batch.create.mutate({ jobs: { kind: "article" } });
  // @ts-expect-error: a schedule has a key
  void client.schedule.upsert.mutate({ kind: "report", input: {}, cron: "@daily" });
  // @ts-expect-error: there is no such policy
  void client.schedule.upsert.mutate({ key: "k", kind: "report", input: {}, missed: "all" });
  expectTypeOf(client.job.get).not.toHaveProperty("mutate");
  expectTypeOf(client.job).not.toHaveProperty("delete");
});

const mail = defineKind({
  name: "mail",
  input: z.object({ to: z.email(), at: z.iso.datetime().optional(), copies: z.int().default(1) }),
  details: z.object({ bounced: z.int() }),
  output: z.object({ sent: z.int() }),
  run: async () => ({ sent: 1 }),
});
const sum = defineKind({
  name: "sum",
  input: z.array(z.number()),
  output: z.number(),
  run: async ({ input }) => input.length,
});
declare const typed: ReturnType<
  typeof createTRPCClient<ApiRouter<KindMapOf<[typeof mail, typeof sum]>>>
>;

test("a client that knows the kinds has their types", async () => {
  const created = await typed.kinds.mail.create.mutate({ input: { to: "ann@example.com" } });
  expectTypeOf(created.input).toEqualTypeOf<{
    to: string;
    at?: string | undefined;
    copies: number;
  } | null>();
  const { input, output } = await typed.kinds.mail.get.query({ jobId });
  expectTypeOf(input.copies).toEqualTypeOf<number>();
  expectTypeOf(output).toEqualTypeOf<{ sent: number } | null>();
  expectTypeOf((await typed.kinds.sum.get.query({ jobId })).output).toEqualTypeOf<number | null>();
  const jobs = [{ input: [1, 2] }, { input: [] }];
  expectTypeOf(await typed.kinds.sum.createMany.mutate({ jobs })).toEqualTypeOf<Batch>();
  typed.kinds.mail.onUpdate.subscribe(
    { jobId },
    {
      onData({ data }) {
        expectTypeOf(data).toExtend<JobEvent>();
        expectTypeOf(data.details).toEqualTypeOf<{ bounced: number } | undefined>();
      },
    },
  );
  typed.kinds.sum.onUpdate.subscribe(
    { jobId },
    { onData: ({ data }) => expectTypeOf(data.details).toEqualTypeOf<undefined>() },
  );
  const { items } = await typed.kinds.mail.list.query();
  expectTypeOf(items[0]?.details).toEqualTypeOf<{ bounced: number } | undefined>();
  void typed.job.create.mutate({ kind: "sum", input: [1] });
  void typed.batch.create.mutate({
    jobs: [
      { kind: "sum", input: [1] },
      { kind: "mail", input: { to: "ann@example.com" } },
    ],
  });
});

test("what no kind takes does not compile in a client that knows the kinds", () => {
  // @ts-expect-error: there is no such kind
  void typed.kinds.mial.create.mutate({ input: {} });
  // @ts-expect-error: a field is missing
  void typed.kinds.mail.create.mutate({ input: {} });
  // @ts-expect-error: a field has another type
  void typed.kinds.mail.create.mutate({ input: { to: 5 } });
  // @ts-expect-error: there is no such field
  void typed.kinds.mail.create.mutate({ input: { to: "ann@example.com", cc: "bob@example.com" } });
  // @ts-expect-error: this is the input of another kind
  void typed.kinds.mail.create.mutate({ input: [1, 2] });
  // @ts-expect-error: there is no such kind
  void typed.job.create.mutate({ kind: "mial", input: {} });
  // @ts-expect-error: this is the input of another kind
  void typed.job.create.mutate({ kind: "sum", input: { to: "ann@example.com" } });
  // @ts-expect-error: one row has the input of another kind
  void typed.batch.create.mutate({ jobs: [{ kind: "sum", input: "1" }] });
  // @ts-expect-error: the kind is known
  void typed.kinds.sum.list.query({ kind: "sum" });
  expectTypeOf(typed.kinds).not.toHaveProperty("mial");
});
