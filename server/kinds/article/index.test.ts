import { expect, test } from "vitest";
import { ConfigError } from "#shared/load-variables.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { articleFromEnv } from "./index.ts";

test("the kind is made from a program's environment, and ignores variables of others", () => {
  const kind = articleFromEnv({ OPENAI_API_KEY: "o", PORT: "x", PATH: "/bin", LLM_MODEL: "" });
  expect(createKindRegistry([kind]).infos).toMatchObject([
    {
      name: "article",
      input: { properties: { llmProvider: { enum: ["auto", "openai", "offline"] } } },
    },
  ]);
});

test("a bad variable of the kind and a misspelt name have a line each", () => {
  const env = { OFFLINE_PACE_MS: "x", GOOGLE_APIKEY: "g" };
  expect(() => articleFromEnv(env)).toThrow(ConfigError);
  expect(() => articleFromEnv(env)).toThrow(
    /OFFLINE_PACE_MS="x" must be .*\n.*did you mean GOOGLE_API_KEY\?/,
  );
});
