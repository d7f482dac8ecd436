/** The types that a client infers from the server: inputs, outputs and entries of streams. */
import type { createTRPCClient } from "@trpc/client";
import type {
  AnyTRPCRouter,
  inferRouterInputs,
  inferRouterOutputs,
  TRPCBuiltRouter,
} from "@trpc/server";
import { expectTypeOf, test } from "vitest";
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { ErrorCode } from "#shared/errors.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { Job, JobStatus, JobSummary } from "#shared/job.ts";
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
  expectTypeOf<AppRouter["_def"]["record"]>().toEqualTypeOf<Api>();
  expectTypeOf<inferRouterInputs<AppRouter>>().toEqualTypeOf<Inputs>();
  expectTypeOf<inferRouterOutputs<AppRouter>>().toEqualTypeOf<Outputs>();
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
  client.batch.onUpdate.subscribe(
    { batchId: jobId, follow: true },
    { onData: ({ data }) => expectTypeOf(data).toEqualTypeOf<BatchAggregate>() },
  );
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
  expectTypeOf(client.job.get).not.toHaveProperty("mutate");
  expectTypeOf(client.job).not.toHaveProperty("delete");
});
