import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { Failure, Transient, type AnyKind } from "#server/kinds/define.ts";
import { createArticleKind, type ArticleKindOptions } from "./kind.ts";
import { openLocalServer, type LocalServer } from "#test/article/local-server.fixture.ts";
import { createRecorder, runArticleKind } from "#test/article/recorder.ts";
import { SLOW_PAGE } from "#test/article/slow-page.ts";
import { openSamples, SAMPLE_PAIRS } from "#test/article/samples.ts";

let samples: LocalServer;
/** Shared, because its threads take longer to start than a page to read. It may fetch from `sites` too. */
let shared: AnyKind;
const sites: string[] = [];

beforeAll(async () => {
  samples = await openSamples();
  shared = kindWith({ fetchAllow: async () => [`${samples.host}/samples/`, ...sites] });
});
afterAll(() => samples[Symbol.asyncDispose]());

function kindWith(more: Partial<ArticleKindOptions> = {}): AnyKind {
  return createArticleKind({
    fetchAllow: [`${samples.host}/samples/`],
    models: {},
    offlinePaceMs: 0,
    ...more,
  });
}

function kindFor(site: LocalServer): AnyKind {
  sites.push(site.host);
  return shared;
}

function inputOf(
  pair: { publisher: string; target: string; anchorText: string },
  more: object = {},
): object {
  return {
    publisherDomain: `${samples.host}/samples/${pair.publisher}`,
    targetUrl: `${samples.origin}/samples/${pair.target}`,
    anchorText: pair.anchorText,
    ...more,
  };
}

function failed(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => expect.unreachable("it should fail"),
    (error: unknown) => error,
  );
}

test.each(SAMPLE_PAIRS)(
  "$publisher to $target: two addresses become a delivered article",
  async (pair) => {
    const { outcome, recorder } = await runArticleKind(shared, inputOf(pair));
    expect(outcome).toMatchObject({
      status: "delivered",
      message: "Article successfully generated and delivered",
      output: {
        writer: { provider: "offline", model: null, strategy: "multi_stage" },
        report: { passed: true },
        cost: { inputTokens: 0, outputTokens: 0 },
      },
    });
    const { output } = outcome;
    expect(output.markdown).toBe(recorder.draft());
    expect(output.html).toContain(`href="${samples.origin}/samples/${pair.target}"`);
    expect(output.words).toBeGreaterThan(350);
    expect(output.publisher.language).toBe(output.language);
    expect(output.target.url).toBe(`${samples.origin}/samples/${pair.target}`);
  },
);

test("progress rises in 8 to 18 steps between the start and the delivery, with the messages that clients know", async () => {
  const kind = shared;
  expect(kind.start).toEqual({
    progress: 10,
    message: "Job started - Profiling publisher and target",
  });
  const { recorder } = await runArticleKind(kind, inputOf(SAMPLE_PAIRS[0]));
  const percents = recorder.progress.map(({ percent }) => percent);
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(
    percents.every((percent) => Number.isInteger(percent) && percent > 10 && percent < 100),
  ).toBe(true);
  expect(percents.length).toBeGreaterThanOrEqual(8);
  expect(percents.length).toBeLessThanOrEqual(18);
  expect(recorder.progress).toContainEqual({
    percent: 88,
    message: "All 16 checks passed",
  });
  expect(recorder.progress).toContainEqual({
    percent: 80,
    message: "Content generated - Running quality checks",
  });
});

test("[A3] a page with too little text ends BLOCKED, and the message names the rules", async () => {
  const pair = { publisher: "publisher/", target: "thin/", anchorText: "our shop" };
  const { outcome, recorder } = await runArticleKind(shared, inputOf(pair));
  expect(outcome.status).toBe("blocked");
  const { rules } = outcome.output.report;
  const failed = rules.filter(({ verdict }) => verdict === "failed");
  expect(outcome.message).toBe(
    `Blocked: ${failed.length} of 16 checks failed (${failed.map(({ label }) => label.charAt(0).toLowerCase() + label.slice(1)).join(", ")})`,
  );
  expect(outcome.message).toContain("(text to quote in both pages, key terms");
  const warnings = recorder.lines.filter((line) => line.startsWith("warn: "));
  expect(warnings).toHaveLength(failed.length);
  expect(warnings[0]).toContain(`${failed[0]?.label}, failed: publisher 4`);
  expect(recorder.lines).toContainEqual(
    expect.stringMatching(/^info: Wrote with the built-in writer in \d+ ms$/),
  );
  expect(failed[0]?.figure).toMatch(/^publisher 4\d\d, target 19 words$/);
  expect(recorder.progress).toContainEqual({
    percent: 88,
    message: expect.stringMatching(`^${failed.length} of 16 checks failed`),
  });
  expect(outcome.output.markdown).toContain("# Opening soon: a reading guide");
});

test("a progress message reports pages with too little text before the writing starts", async () => {
  const pair = { publisher: "thin/", target: "thin/", anchorText: "our shop" };
  const { recorder } = await runArticleKind(shared, inputOf(pair));
  const said = recorder.progress.map(({ message }) => message);
  expect(said[3]).toBe(
    "The publisher's page has only 19 words and the target's page has only 19 words; " +
      "the article will be blocked for a person to decide",
  );
  expect(said[2]).toMatch(/^Read the target/);
  const enough = await runArticleKind(shared, inputOf(SAMPLE_PAIRS[0]));
  expect(enough.recorder.progress.map(({ message }) => message).join()).not.toContain("has only");
});

test("[A3] a publisher in another language than the target ends BLOCKED", async () => {
  const pair = { ...SAMPLE_PAIRS[2], target: "target/" };
  const { outcome } = await runArticleKind(shared, inputOf(pair));
  expect(outcome).toMatchObject({
    status: "blocked",
    message: expect.stringContaining(", language"),
  });
});

test.each([
  [
    { target: "nowhere/" },
    "PAGE_STATUS",
    /^The target page http\S+nowhere\/ answered with status 404 Not Found$/,
  ],
  [
    { publisher: "nowhere/" },
    "PAGE_STATUS",
    /^The publisher page localhost\S+nowhere\/ answered with status 404/,
  ],
  [
    { target: "../trpc/" },
    "PAGE_PRIVATE_ADDRESS",
    /^The target page \S+ is not on the public internet/,
  ],
])("a page that cannot be fetched ends the job: %j", async (change, code, message) => {
  const running = runArticleKind(shared, inputOf({ ...SAMPLE_PAIRS[0], ...change }));
  const error = await failed(running);
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
});

test("hosts to fetch can be listed when a job runs, and an invalid entry ends that job", async () => {
  const entries = [`${samples.host}/samples/`];
  const [pair] = SAMPLE_PAIRS;
  const late = kindWith({ fetchAllow: async () => entries });
  const { outcome } = await runArticleKind(late, inputOf(pair));
  expect(outcome).toMatchObject({ status: "delivered" });
  entries.push("http://intranet");
  expect(await failed(runArticleKind(late, inputOf(pair)))).toMatchObject({
    name: "TypeError",
    message: expect.stringContaining('"http://intranet" is not a host'),
  });
  expect(() => kindWith({ fetchAllow: entries })).toThrow('"http://intranet" is not a host');
});

test("without options the offline writer writes, and no private page is fetched", async () => {
  const [pair] = SAMPLE_PAIRS;
  expect(await failed(runArticleKind(createArticleKind(), inputOf(pair)))).toMatchObject({
    code: "PAGE_PRIVATE_ADDRESS",
  });
});

test("fetch limits and the resolver are configurable", async () => {
  const small = kindWith({ fetchLimits: { bytes: 1000 } });
  await expect(runArticleKind(small, inputOf(SAMPLE_PAIRS[0]))).rejects.toMatchObject({
    code: "PAGE_TOO_LARGE",
  });
  const elsewhere = kindWith({
    fetchAllow: ["site.example"],
    resolve: (_, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
  });
  const port = samples.host.split(":")[1];
  const input = inputOf(SAMPLE_PAIRS[0], { publisherDomain: `site.example:${port}/samples/thin/` });
  const { recorder } = await runArticleKind(elsewhere, {
    ...input,
    targetUrl: `http://site.example:${port}/samples/thin/`,
  });
  expect(recorder.progress.map(({ message }) => message).join()).toContain(
    '"Opening soon | Almost Nothing"',
  );
});

test("markup hidden in a page is plain text in the delivered HTML", async () => {
  const evil = "<script>alert(1)</script>";
  const escaped = evil.replaceAll("<", "&lt;");
  const text =
    "<p>The garden gives salad to a family from May until October. Water reaches the roots in the morning.</p>".repeat(
      3,
    );
  await using site = await openLocalServer((_, response) => {
    response
      .writeHead(200, { "content-type": "text/html" })
      .end(
        `<title>${escaped} | Evil</title><h1>${escaped}</h1>${evil}<h2>[x](javascript:alert(1))</h2>${text}`,
      );
  });
  const { outcome } = await runArticleKind(kindFor(site), {
    publisherDomain: site.host,
    targetUrl: site.origin,
    anchorText: evil,
  });
  expect(outcome.output.html).not.toMatch(/<script|href="javascript/i);
  expect(outcome.output.title).toContain(evil);
});

test("a cancel ends the job with its own reason, in every stage", async () => {
  for (const stage of [
    /^Reading the publisher/,
    /^Read the target/,
    /^Writing/,
    /^Content generated/,
  ]) {
    const controller = new AbortController();
    const reason = new Error("cancelled");
    const recorder = createRecorder(
      z.parse(shared.input, inputOf(SAMPLE_PAIRS[0])),
      controller.signal,
    );
    const context = {
      ...recorder.context,
      async progress(_: number, message: string) {
        if (stage.test(message)) controller.abort(reason);
      },
    };
    expect(await failed(shared.run(context))).toBe(reason);
  }
});

test("an input that asks for an unconfigured writer is refused, and the error names the field", () => {
  const input = inputOf(SAMPLE_PAIRS[0], { llmProvider: "anthropic" });
  expect(z.safeParse(shared.input, input).error?.issues).toEqual([
    expect.objectContaining({
      path: ["llmProvider"],
      message: expect.stringContaining("set ANTHROPIC_API_KEY"),
    }),
  ]);
  const { input: taken } = kindWith({ models: { anthropicApiKey: "a" } });
  expect(z.safeParse(taken, input).success).toBe(true);
});

test("a writer that lost its configuration ends the job before any page is fetched", async () => {
  const { input: then } = kindWith({ models: { anthropicApiKey: "a" } });
  const recorder = createRecorder(
    z.parse(then, inputOf(SAMPLE_PAIRS[0], { llmProvider: "anthropic" })),
    new AbortController().signal,
  );
  await expect(shared.run(recorder.context)).rejects.toMatchObject({
    code: "LLM_NOT_CONFIGURED",
    message: expect.stringContaining("ANTHROPIC_API_KEY"),
  });
  expect(recorder.progress).toEqual([]);
});

test("an invalid entry of the allow list fails the creation of the kind", () => {
  expect(() => kindWith({ fetchAllow: ["not a host"] })).toThrow('"not a host"');
});

test("a job's title is its anchor text and its publisher", () => {
  const kind = shared;
  const input = z.parse(kind.input, inputOf(SAMPLE_PAIRS[0]));
  expect(kind.title(input)).toBe(`self-watering planters on ${samples.host}/samples/publisher/`);
});

test("umlaut domains are read as a publisher and as a target, and the article links to them in Punycode", async () => {
  const port = new URL(samples.origin).port;
  const asked = new Set<string>();
  const kind = kindWith({
    fetchAllow: [`bücher.example:${port}/samples/`, "xn--kse-qla.example"],
    resolve: (hostname, done) => {
      asked.add(hostname);
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    },
  });
  const { outcome, recorder } = await runArticleKind(kind, {
    publisherDomain: `BÜCHER.example:${port}/samples/publisher/`,
    targetUrl: `http://käse.example:${port}/samples/target/`,
    anchorText: "self-watering planters",
  });
  expect(outcome.status).toBe("delivered");
  expect(asked).toEqual(new Set(["xn--bcher-kva.example", "xn--kse-qla.example"]));
  const { publisher, target, html, markdown } = outcome.output;
  expect(publisher.finalUrl).toBe(`http://xn--bcher-kva.example:${port}/samples/publisher/`);
  expect(target.finalUrl).toBe(`http://xn--kse-qla.example:${port}/samples/target/`);
  expect(html).toContain(`href="http://xn--kse-qla.example:${port}/samples/target/"`);
  expect(markdown).toContain(`(http://xn--kse-qla.example:${port}/samples/target/)`);
  expect(recorder.progress[0]?.message).toContain("BÜCHER.example");
});

/** Serves these bodies by path. */
function openPages(pages: Record<string, string>, headers: Record<string, string>) {
  return openLocalServer((request, response) => {
    response.writeHead(200, headers).end(pages[request.url ?? ""] ?? "");
  });
}

const SENTENCES =
  "<p>The garden gives salad to a family from May until October. Water reaches the roots in the morning.</p>";

test("a page without a content type that begins with many comments is refused in linear time", async () => {
  await using site = await openPages({ "/": `${"<!---->".repeat(60)}x` }, {});
  const running = runArticleKind(kindFor(site), {
    publisherDomain: site.host,
    targetUrl: site.origin,
    anchorText: "a garden",
  });
  const error = await failed(running);
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ code: "PAGE_NOT_HTML" });
});

function headed(heading: string): string {
  return `<h2>${heading}</h2>${SENTENCES.repeat(3)}`;
}

test("[H2] headings made to stall a regular expression are read, and messages quote only their beginning", async () => {
  const page = `<title>${"T".repeat(60_000)}</title>${[":".repeat(180_000), `Seeds${" :".repeat(60_000)}`, "S".repeat(60_000), "[".repeat(60_000)].map(headed).join("")}`;
  await using site = await openPages({ "/": page }, { "content-type": "text/html" });
  const { outcome, recorder } = await runArticleKind(kindFor(site), {
    publisherDomain: site.host,
    targetUrl: site.origin,
    anchorText: "a garden",
  });
  const messages = [...recorder.progress.map(({ message }) => message), outcome.message];
  expect(messages.some((message) => message.includes("TTT"))).toBe(true);
  for (const message of messages) expect(message.length).toBeLessThanOrEqual(1000);
  expect(JSON.stringify(outcome.output).length).toBeLessThan(100_000);
});

test("[H2] a page that stalls its thread ends its job without a retry, and the server and other jobs go on", async () => {
  await using site = await openPages(
    { "/": SLOW_PAGE },
    { "content-type": "text/html; charset=utf-8" },
  );
  const kind = kindWith({
    fetchAllow: [site.host, `${samples.host}/samples/`],
    threads: { processorMs: 2000 },
  });
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  const stalling = failed(
    runArticleKind(kind, {
      publisherDomain: site.host,
      targetUrl: site.origin,
      anchorText: "a garden",
    }),
  );
  const { outcome } = await runArticleKind(kind, inputOf(SAMPLE_PAIRS[0]));
  expect(outcome.status).toBe("delivered");
  const error = await stalling;
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(10);
  expect(error).toBeInstanceOf(Failure);
  expect(error).not.toBeInstanceOf(Transient);
  expect(error).toMatchObject({
    code: "PAGE_TOO_COMPLEX",
    message: expect.stringMatching(/^The publisher page \S+ is too complex to be read/),
  });
});

test("a page that exhausts its thread's memory ends its job, and the server goes on", async () => {
  await using site = await openPages(
    { "/": SLOW_PAGE },
    { "content-type": "text/html; charset=utf-8" },
  );
  const kind = kindWith({ fetchAllow: [site.host], threads: { memoryMb: 64 } });
  const input = { publisherDomain: site.host, targetUrl: site.origin, anchorText: "a garden" };
  expect(await failed(runArticleKind(kind, input))).toMatchObject({
    code: "PAGE_TOO_COMPLEX",
    message: expect.stringContaining("it takes too much memory"),
  });
});

test.each<[name: string, headers: Record<string, string>, status: number]>([
  ["a redirect", { location: `http://[${"x".repeat(7000)}` }, 302],
  ["a long redirect", { location: `/${"x".repeat(9000)}` }, 302],
  ["a content type", { "content-type": `text/${"x".repeat(9000)}` }, 200],
])(
  "the error quotes only the beginning of %s with thousands of characters",
  async (_, headers, status) => {
    await using site = await openLocalServer((__, response) => {
      response.writeHead(status, headers).end();
    });
    const running = runArticleKind(kindFor(site), {
      publisherDomain: site.host,
      targetUrl: `${site.origin}/${"y".repeat(1900)}`,
      anchorText: "a garden",
    });
    const error = await failed(running);
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).message.length).toBeLessThan(1000);
  },
);

test("an abort while a thread reads a page frees the thread at once", async () => {
  const controller = new AbortController();
  await using site = await openLocalServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(SLOW_PAGE);
    response.on("close", () => controller.abort(new Error("given back")));
  });
  const kind = kindWith({
    fetchAllow: [site.host, `${samples.host}/samples/`],
    threads: { threads: 1, processorMs: 600_000 },
  });
  const input = { publisherDomain: site.host, targetUrl: site.origin, anchorText: "a garden" };
  await expect(runArticleKind(kind, input, controller.signal)).rejects.toThrow("given back");
  const { outcome } = await runArticleKind(kind, inputOf(SAMPLE_PAIRS[0]));
  expect(outcome.status).toBe("delivered");
});
