/** Article jobs from start to end, written by a model. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnyKind, Transient } from "#server/kinds/define.ts";
import { createArticleKind } from "./kind.ts";
import { testArticle } from "#test/article/brief.ts";
import type { LocalServer } from "#test/article/local-server.fixture.ts";
import { type ModelServer, openModelServer } from "#test/article/model-server.fixture.ts";
import { type ArticleOutcome, runArticleKind, TRACEPARENT } from "#test/article/recorder.ts";
import { openSamples, SAMPLE_PAIRS } from "#test/article/samples.ts";

let samples: LocalServer;
let server: ModelServer;
/** Of every request of the test. */
let answer: string | number;
/** One for all tests, because its threads take longer to start than an article to write. */
let kind: AnyKind;

beforeAll(async () => {
  samples = await openSamples();
  server = await openModelServer((_, reply) =>
    typeof answer === "string" ? reply.answer(answer) : reply.fail(answer, "no"),
  );
  kind = createArticleKind({
    fetchAllow: [`${samples.host}/samples/`],
    models: { llmBaseUrl: `${server.origin}/v1`, llmModel: "test" },
    offlinePaceMs: 0,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await samples[Symbol.asyncDispose]();
});

function failed(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => expect.unreachable("it should fail"),
    (error: unknown) => error,
  );
}

async function runWithModel(given: string | number, more: object = {}): Promise<ArticleOutcome> {
  return (await recordWithModel(given, more)).outcome;
}

async function recordWithModel(
  given: string | number,
  { target: otherTarget, ...more }: { target?: string } = {},
): Promise<Awaited<ReturnType<typeof runArticleKind>>> {
  answer = given;
  server.requests.length = 0;
  const [{ publisher, target, anchorText }] = SAMPLE_PAIRS;
  const input = {
    publisherDomain: `${samples.host}/samples/${publisher}`,
    targetUrl: `${samples.origin}/samples/${otherTarget ?? target}`,
    anchorText,
    writingStrategy: "single_shot",
    ...more,
  };
  const run = await runArticleKind(kind, input);
  const traces = server.requests.map(({ traceparent }) => traceparent);
  expect(traces).toEqual(traces.map(() => TRACEPARENT));
  return run;
}

test("a model may write from a page with little text, and a progress message warns of it", async () => {
  const { recorder } = await recordWithModel(testArticle(), { target: "thin/" });
  expect(recorder.progress).toContainEqual({
    percent: 21,
    message: "The target's page has only 19 words; the article may be thin",
  });
  const wrote = /^info: Wrote with compatible, test, in \d+ ms: 10 tokens in, 20 out$/;
  expect(recorder.lines).toContainEqual(expect.stringMatching(wrote));
});

test("[V2] a model is asked within the trace of the job, and its article is checked, mended and delivered with its token counts", async () => {
  const text = testArticle({
    anchor:
      "It starts with water and good soil. Strong roots grow in a container of any kind. The moisture comes from below. A wick and a reservoir do the rest.",
    end: "More can be read [here](https://spam.example/).",
  });
  const outcome = await runWithModel(text);
  expect(outcome.output.report.rules.filter(({ verdict }) => verdict === "failed")).toEqual([]);
  expect(outcome).toMatchObject({
    status: "delivered",
    output: {
      writer: { provider: "compatible", model: "test", strategy: "single_shot" },
      cost: { inputTokens: 10, outputTokens: 20 },
    },
  });
  const mended = outcome.output.report.rules.filter(({ verdict }) => verdict === "mended");
  expect(mended.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["anchor", "links", "trust-source"]),
  );
  expect(outcome.output.html).not.toContain("spam.example");
});

test("a model's nonsense ends BLOCKED", async () => {
  expect((await runWithModel("asdf qwer")).status).toBe("blocked");
  expect((await runWithModel(" ")).status).toBe("blocked");
});

test("a job can ask for the offline writer where a model is configured", async () => {
  const outcome = await runWithModel("never asked", { llmProvider: "offline" });
  expect(outcome.output.writer.provider).toBe("offline");
});

test("a busy model server leads to a retry, and a refused API key ends the job", async () => {
  expect(await failed(runWithModel(503))).toBeInstanceOf(Transient);
  const error = await failed(runWithModel(401));
  expect(error).not.toBeInstanceOf(Transient);
  expect(error).toMatchObject({
    code: "LLM_AUTH",
    message: expect.stringMatching(/^API key invalid/),
  });
});
