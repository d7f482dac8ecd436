import { expect, test } from "vitest";
import { ConfigError, loadVariables } from "#shared/load-variables.ts";
import { ARTICLE_VARIABLES, articleOptions } from "./settings.ts";

function linesOf(env: Record<string, string>): readonly string[] {
  try {
    loadVariables(env, ARTICLE_VARIABLES);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

test("without any variable, each has its default", () => {
  expect(loadVariables({}, ARTICLE_VARIABLES)).toEqual({
    FETCH_TIMEOUT_MS: 10_000,
    OFFLINE_PACE_MS: 25,
  });
});

test.each([
  [
    "FETCH_ALLOW",
    "intranet, 10.0.0.5:8080,[::1]:80,localhost:8000/samples/",
    ["intranet", "10.0.0.5:8080", "[::1]:80", "localhost:8000/samples/"],
  ],
  ["FETCH_ALLOW", "bücher.example:80, gateway_1", ["bücher.example:80", "gateway_1"]],
  ["ANTHROPIC_API_KEY", "sk-ant-1\n", "sk-ant-1"],
  ["OPENAI_API_KEY", "sk-1", "sk-1"],
  ["GOOGLE_API_KEY", "AIza", "AIza"],
  ["LLM_BASE_URL", "http://localhost:11434/v1", "http://localhost:11434/v1"],
  ["LLM_MODEL", "a model", "a model"],
  ["FETCH_TIMEOUT_MS", "60000", 60_000],
  ["OFFLINE_PACE_MS", "0", 0],
])("%s=%j is accepted", (name, text, value) => {
  expect(loadVariables({ [name]: text }, ARTICLE_VARIABLES)).toMatchObject({ [name]: value });
});

test.each([
  ["FETCH_ALLOW", "http://intranet", "must be hosts with commas between"],
  ["FETCH_ALLOW", "a.example,intranet/a/../b", "must be hosts with commas between"],
  ["FETCH_ALLOW", "intranet/a/..;/b", "must be hosts with commas between"],
  ["LLM_BASE_URL", "localhost:11434", "must be an http:// or https:// address"],
  ["LLM_BASE_URL", "file:///etc/passwd", "must be an http:// or https:// address"],
  ["FETCH_TIMEOUT_MS", "999", "must be a whole number from 1000 to 300000"],
  ["OFFLINE_PACE_MS", "10001", "must be a whole number from 0 to 10000"],
])("%s=%j is refused in one line that names the allowed values", (name, text, allowed) => {
  const lines = linesOf({ [name]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`${name}=${JSON.stringify(text)} ${allowed}`);
});

test.each([
  ["ANTHROPIC_API_KEY", "sk-ant secret"],
  ["OPENAI_API_KEY", "sk secret"],
  ["GOOGLE_API_KEY", "sécret"],
  ["LLM_BASE_URL", "ftp://user:secret@models.example.com"],
  ["LLM_BASE_URL", "user:secret@models.example.com"],
  ["ANTHROPIC_API_KEYS", "secret"],
])("%s=%j is refused, and its secret is not shown", (name, text) => {
  const lines = linesOf({ [name]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(name);
  expect(lines[0]).not.toMatch(/s.cret/);
});

test("a misspelt name is refused, and the meant one is named", () => {
  expect(linesOf({ OPENAI_APIKEY: "1" })).toEqual([
    "OPENAI_APIKEY is unknown; did you mean OPENAI_API_KEY?",
  ]);
});

test("the options have the values, and FETCH_ALLOW takes the place of the samples", () => {
  const env = { GOOGLE_API_KEY: "g", LLM_MODEL: "m" };
  const samples = ["localhost:1/samples/"];
  const settings = loadVariables(env, ARTICLE_VARIABLES);
  expect(articleOptions(settings, samples)).toMatchObject({
    fetchAllow: samples,
    fetchLimits: { timeoutMs: 10_000 },
    models: { googleApiKey: "g", llmModel: "m" },
    offlinePaceMs: 25,
  });
  expect(articleOptions(settings).fetchAllow).toEqual([]);
  const changes = { FETCH_ALLOW: "intranet", FETCH_TIMEOUT_MS: "2000" };
  const own = articleOptions(loadVariables({ ...env, ...changes }, ARTICLE_VARIABLES), samples);
  expect(own).toMatchObject({ fetchAllow: ["intranet"], fetchLimits: { timeoutMs: 2000 } });
});
