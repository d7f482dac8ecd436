import { expect, test } from "vitest";
import type { LlmProvider } from "#shared/article/article.ts";
import type { Models } from "#server/kinds/article/write/writer-settings.ts";
import { chooseModel } from "./models.ts";

const ANTHROPIC = { anthropicApiKey: "a" };
const OPENAI = { openaiApiKey: "o" };
const GOOGLE = { googleApiKey: "g" };
const SERVER = { llmBaseUrl: "http://localhost:1/v1", llmModel: "llama" };

test.each<[asked: LlmProvider, models: Models, provider: string | undefined]>([
  ["auto", {}, undefined],
  ["auto", { ...GOOGLE, ...OPENAI, ...ANTHROPIC }, "anthropic"],
  ["auto", { ...GOOGLE, ...OPENAI }, "openai"],
  ["auto", GOOGLE, "google"],
  ["auto", SERVER, "compatible"],
  ["auto", { ...SERVER, ...OPENAI }, "compatible"],
  ["auto", { llmModel: "llama" }, undefined],
  ["offline", ANTHROPIC, undefined],
  ["google", { ...ANTHROPIC, ...GOOGLE }, "google"],
  ["openai", OPENAI, "openai"],
  ["compatible", { ...ANTHROPIC, ...SERVER }, "compatible"],
])("%s with %j writes with %s", (asked, models, provider) => {
  expect(chooseModel(asked, models)?.provider).toBe(provider);
});

test("each provider has a default model, unless another is set", () => {
  expect(chooseModel("anthropic", ANTHROPIC)?.modelId).toMatch(/^claude-/);
  expect(chooseModel("openai", OPENAI)?.modelId).toMatch(/^gpt-/);
  expect(chooseModel("google", GOOGLE)?.modelId).toMatch(/^gemini-/);
  expect(chooseModel("openai", { ...OPENAI, llmModel: "mine" })?.modelId).toBe("mine");
});

test.each<[asked: LlmProvider, models: Models, variable: string]>([
  ["anthropic", OPENAI, "ANTHROPIC_API_KEY"],
  ["openai", {}, "OPENAI_API_KEY"],
  ["google", {}, "GOOGLE_API_KEY"],
  ["compatible", { llmModel: "llama" }, "LLM_BASE_URL"],
  ["compatible", { llmBaseUrl: "http://localhost:1/v1" }, "LLM_MODEL"],
  ["auto", { llmBaseUrl: "http://localhost:1/v1" }, "LLM_MODEL"],
])("%s without a needed setting names the variable", (asked, models, variable) => {
  expect(() => chooseModel(asked, models)).toThrow(
    expect.objectContaining({
      code: "LLM_NOT_CONFIGURED",
      message: expect.stringContaining(`set ${variable}`),
    }),
  );
});
