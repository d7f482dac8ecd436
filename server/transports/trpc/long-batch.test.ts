/** Batches of queries that are too long for an address, sent by tRPC's own batch link. */
import {
  createTRPCClient,
  httpBatchLink,
  type HTTPBatchLinkOptions,
  TRPCClientError,
} from "@trpc/client";
import superjson from "superjson";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import type { AppRouter } from "./router.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

type Options = Partial<HTTPBatchLinkOptions<AppRouter["_def"]["_config"]["$types"]>>;

/** Sends `calls` queries for unknown jobs in one tick, and returns their errors. */
async function errorsOf(calls: number, options: Options): Promise<TRPCClientError<AppRouter>[]> {
  const { url } = await openTestServer();
  const client = createTRPCClient<AppRouter>({
    links: [httpBatchLink({ url: `${url}/trpc`, transformer: superjson, ...options })],
  });
  const answers = await Promise.allSettled(
    Array.from({ length: calls }, () => client.job.get.query({ jobId: newId() })),
  );
  return answers.map((answer) => {
    if (answer.status === "fulfilled") throw new Error("There was such a job.");
    return answer.reason as TRPCClientError<AppRouter>;
  });
}

test("each call of a batch that is too long gets an error that the client can read", async () => {
  for (const error of await errorsOf(200, {})) {
    expect(error).toBeInstanceOf(TRPCClientError);
    expect(error.message).toContain("maxURLLength");
    expect(error.data).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  }
});

test.each<[string, Options]>([
  ["split by the client", { maxURLLength: 8000 }],
  ["sent as POST", { methodOverride: "POST" }],
])("300 queries in one tick reach their procedure, %s", async (_way, options) => {
  const errors = await errorsOf(300, options);
  expect(errors.map(({ data }) => data?.code)).toEqual(errors.map(() => "NOT_FOUND"));
});
