import { expect, test } from "vitest";
import { type Models, settingsFor, usableWriters } from "./writer-settings.ts";

const KEYS = { anthropicApiKey: "a", openaiApiKey: "o", googleApiKey: "g" };
const SERVER = { llmBaseUrl: "http://localhost:1/v1", llmModel: "llama" };

test.each<[models: Models, usable: string[]]>([
  [{}, ["offline"]],
  [{ llmModel: "llama" }, ["offline"]],
  [{ googleApiKey: "g" }, ["google", "offline"]],
  [KEYS, ["anthropic", "openai", "google", "offline"]],
  [SERVER, ["compatible", "offline"]],
  [{ ...KEYS, ...SERVER }, ["anthropic", "google", "compatible", "offline"]],
])("with %j the writers are %j, and auto takes the first", (models, usable) => {
  expect(usableWriters(models)).toEqual(usable);
  expect(settingsFor("auto", models)).toMatchObject({ provider: usable[0] });
});

test("auto reports a configured server without a model instead of skipping it", () => {
  const models = { llmBaseUrl: SERVER.llmBaseUrl };
  expect(usableWriters(models)).toEqual(["offline"]);
  expect(settingsFor("auto", models)).toContain("set LLM_MODEL");
});

test("the key of an own server is never sent to OpenAI", () => {
  expect(settingsFor("openai", { ...SERVER, openaiApiKey: "mine" })).toContain(
    "OPENAI_API_KEY is the key of LLM_BASE_URL",
  );
});
