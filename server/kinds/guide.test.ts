import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
/** Runs the kind of `docs/add-a-kind.md` in a process of its own, with the given inputs. */
const DRIVER = `
import { parse } from "zod";
import { outcomeOf } from "#server/kinds/define.ts";
const [inputs] = process.argv.slice(-1).map((text) => JSON.parse(text));
const results = [];
for (const input of inputs) {
  const progress = [];
  let draft = "";
  const context = {
    jobId: "1", attempt: 1, signal: new AbortController().signal, input: parse(wordCount.input, input),
    async progress(percent: number, message: string) { progress.push([percent, message]); },
    async draft(text: string) { draft += text; },
  };
  const outcome = await wordCount.run(context).then(outcomeOf).catch((error) => ({ failed: error.code }));
  results.push({ outcome, progress, draft });
}
console.log(JSON.stringify(results));
`;

test("the example of the guide works as it stands there", async () => {
  const guide = await readFile(new URL("../../docs/add-a-kind.md", import.meta.url), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(guide)?.[1];
  const inputs = [{ text: "one two\n\nthree" }, { text: "one two three", limit: 2 }, { text: " " }];
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module-typescript",
    "--eval",
    `${code}${DRIVER}`,
    JSON.stringify(inputs),
  ]);
  expect(JSON.parse(stdout)).toEqual([
    {
      outcome: {
        status: "delivered",
        message: "Counted 3 words",
        output: { words: 3, paragraphs: [2, 1] },
      },
      progress: [
        [49, "Counted 1 of 2 paragraphs"],
        [99, "Counted 2 of 2 paragraphs"],
      ],
      draft: "Paragraph 1: 2 words\nParagraph 2: 1 words\n",
    },
    expect.objectContaining({
      outcome: {
        status: "blocked",
        message: "3 words are more than 2",
        output: { words: 3, paragraphs: [3] },
      },
    }),
    { outcome: { failed: "EMPTY_TEXT" }, progress: [], draft: "" },
  ]);
});

test("[E10] the kind with policies of their page has them, and works as it stands there", async () => {
  const page = await readFile(new URL("../../docs/kind-policies.md", import.meta.url), "utf8");
  const [, code] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  const driver = `
    import { createKindRegistry } from "#server/kinds/registry.ts";
    const sent = [];
    globalThis.fetch = async (url, { headers }) => void sent.push(url, headers["idempotency-key"]);
    await mail.run({ input: { customer: "a", subject: "b" }, jobId: "1" });
    console.log(JSON.stringify([createKindRegistry([mail]).infos[0].policies, sent]));
  `;
  const args = ["--input-type=module-typescript", "--eval", `${code}${driver}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual([
    {
      retry: {
        maxAttempts: 8,
        backoff: { firstMs: 5000, factor: 2, maxMs: 600_000, jitter: 0.5 },
        afterTimeLimit: true,
      },
      timeLimitMs: 30_000,
      retentionDays: 7,
      priority: 5,
      limits: {
        concurrency: 20,
        rate: { limit: 10, perMs: 1000 },
        perKey: { concurrency: 1, keyName: "customer" },
      },
    },
    ["https://mail.example/send", "1"],
  ]);
});

test("the kind with details of the guide works as it stands there", async () => {
  const guide = await readFile(new URL("../../docs/add-a-kind.md", import.meta.url), "utf8");
  const [, code] = /## Details\n\n```ts\n([\s\S]*?)```/.exec(guide) ?? [];
  const driver = `
    const reported = [];
    await thumbnails.run({
      input: { urls: ["https://example.com/a.png", "https://example.com/b.png"] },
      progress: async (_percent, _message, details) => void reported.push(details),
    });
    console.log(JSON.stringify(reported.map((each) => each && thumbnails.details.parse(each))));
  `;
  const args = ["--input-type=module-typescript", "--eval", `${code}${driver}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual([
    { done: 1, of: 2, newest: "https://example.com/a.png" },
    { done: 2, of: 2, newest: "https://example.com/b.png" },
    null,
  ]);
});
