import { expect, test } from "vitest";
import { startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

const documents = Array.from({ length: 60 }, (_, index) => ({
  id: `${index}`,
  text: `word${index}`,
}));

const example = describeExample({
  basePath: "/jobwire",
  start: (env) => startExample("hono", { env }),
  kind: "indexing",
  input: () => ({ documents }),
  clientEnds: /The index has \d+ words\n\[ 'planters', 'balcony' \]\n$/,
});

test("its own procedure answers on Jobwire's endpoint, and its routes beside it", async () => {
  const { url, run } = example();
  await run(["client.ts"], { URL: url });
  const input = encodeURIComponent(JSON.stringify({ json: { word: "balcony" } }));
  const found = await fetch(`${url}/jobwire/trpc/search.find?input=${input}`);
  expect(await found.json()).toEqual({ result: { data: { json: ["planters", "balcony"] } } });
  expect(await (await fetch(`${url}/search?word=fund`)).json()).toEqual(["savings"]);
  expect((await fetch(`${url}/nowhere`)).status).toBe(404);
});
