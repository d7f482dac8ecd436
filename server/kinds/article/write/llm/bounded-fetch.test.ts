import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { Failure, Transient } from "#server/kinds/define.ts";
import { openLocalServer } from "#test/article/local-server.fixture.ts";
import { openModelServer } from "#test/article/model-server.fixture.ts";
import { createAsk } from "./ask.ts";
import { createBoundedFetch } from "./bounded-fetch.ts";
import { chooseModel } from "./models.ts";

const fetchBounded = createBoundedFetch({ bytes: 1000, lineBytes: 100, errorBytes: 10 });

async function get(answer: (response: ServerResponse) => void): Promise<string> {
  await using server = await openLocalServer((_, response) => answer(response));
  return await (await fetchBounded(server.origin)).text();
}

test("an answer within the limits passes through unchanged", async () => {
  const text = `${"x".repeat(99)}\n`.repeat(10);
  expect(await get((response) => response.end(text))).toBe(text);
});

test.each([
  ["answer", "x\n".repeat(501)],
  ["line", "x".repeat(101)],
])("an %s beyond its limit fails the response", async (_, text) => {
  await expect(get((response) => response.end(text))).rejects.toThrow("of more than");
});

test("an error response is cut to its beginning", async () => {
  expect(await get((response) => response.writeHead(500).end("0123456789abc"))).toBe("0123456789");
});

test("a model's server that sends an endless line ends the job without a retry", async () => {
  await using server = await openModelServer((_, { response }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(64 * 1024)));
    };
    response.on("drain", more);
    more();
  });
  const chosen = chooseModel("compatible", { llmBaseUrl: `${server.origin}/v1`, llmModel: "test" });
  if (chosen === undefined) throw new Error("a model was asked for");
  const question = { instructions: "", prompt: "Write." };
  const never = new AbortController().signal;
  const error: unknown = await createAsk(chosen, 60_000)(question, never, async () => {}).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  expect(error).not.toBeInstanceOf(Transient);
  expect(error).toMatchObject({ code: "LLM_TOO_LONG" });
});
