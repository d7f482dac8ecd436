/** Traces of real processes, which a local collector receives. */
import { inject, expect, onTestFinished, test, vi } from "vitest";
import { fileURLToPath } from "node:url";
import { startCollector } from "#test/tracing/collector.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { startServer } from "./server.ts";

const MAIN = fileURLToPath(new URL("cluster/app.ts", import.meta.url));
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

test("[V1] [V2] [V3] [V4] a collector gets a trace from the caller of a gateway to the end in a worker, and its trouble disturbs neither", async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const start = async (role: string) => {
    const server = await startServer({
      main: MAIN,
      env: {
        ROLE: role,
        REDIS_URL: redis.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_SERVICE_NAME: `my ${role}`,
        OTEL_BSP_SCHEDULE_DELAY: "50",
      },
    });
    onTestFinished(() => server.stop());
    return server;
  };
  const [gateway, worker] = await Promise.all([start("gateway"), start("worker")]);

  async function create(): Promise<string> {
    const response = await fetch(`${gateway.url}/trpc/job.create`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        traceparent: `00-${TRACE}-${CALLER}-01`,
      },
      body: JSON.stringify({ json: { kind: "steps", input: { steps: 3, everyMs: 1 } } }),
    });
    const answer = (await response.json()) as { result: { data: { json: { id: string } } } };
    return answer.result.data.json.id;
  }
  const spanOf = (name: string, jobId: string) =>
    collector.spans.find(
      (span) => span.name === name && span.attributes["messaging.message.id"] === jobId,
    );

  const jobId = await create();
  await vi.waitFor(() => expect(spanOf("process steps", jobId)).toBeDefined());
  const creation = await vi.waitFor(() => {
    const found = spanOf("create steps", jobId);
    expect(found).toMatchObject({ service: "my gateway", trace: TRACE, isError: false });
    return found;
  });
  const call = await vi.waitFor(() => {
    const found = collector.spans.find(({ id }) => id === creation?.parent);
    expect(found).toMatchObject({ name: "job.create", trace: TRACE, parent: CALLER });
    return found;
  });
  expect(call?.service).toBe("my gateway");
  const attempt = spanOf("process steps", jobId);
  expect(attempt).toMatchObject({
    service: "my worker",
    trace: TRACE,
    parent: creation?.id,
    attributes: { "jobwire.job.outcome": "delivered", "jobwire.job.attempt": 1 },
  });
  expect(attempt?.events.toSorted()).toEqual(["draft", "progress", "progress", "progress"]);
  await vi.waitFor(() =>
    expect(spanOf("deliver steps", jobId)).toMatchObject({ parent: attempt?.id }),
  );
  const logged = worker.output().split("\n");
  const ended = logged.find((line) => line.includes("job delivered") && line.includes(jobId));
  expect(JSON.parse(ended ?? "{}")).toMatchObject({ trace_id: TRACE, span_id: attempt?.id });

  const told = (text: string) => worker.output().split(text).length - 1;
  collector.mode = "refuse";
  for (let round = 0; round < 3; round += 1) {
    const before = collector.requests();
    await create();
    await vi.waitFor(() => expect(collector.requests()).toBeGreaterThan(before + 1));
  }
  await vi.waitFor(() => expect(told("Traces cannot be exported")).toBe(1));
  const trouble = worker
    .output()
    .split("\n")
    .find((line) => line.includes("cannot be exported"));
  expect(JSON.parse(trouble ?? "{}")).not.toHaveProperty("trace_id");
  collector.mode = "take";
  const again = await create();
  await vi.waitFor(() => expect(spanOf("process steps", again)).toBeDefined());
  await vi.waitFor(() => expect(told("Traces are exported again")).toBe(1));

  // The last spans wait for a collector that does not answer.
  collector.mode = "hang";
  const before = collector.requests();
  await create();
  await vi.waitFor(() => expect(collector.requests()).toBeGreaterThan(before));
  expect(await Promise.all([gateway.kill("SIGTERM"), worker.kill("SIGTERM")])).toEqual([0, 0]);
});
