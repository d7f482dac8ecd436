/** How the hosted providers' protocols end an answer. */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModel } from "ai";
import { describe, expect, test } from "vitest";
import { openLocalServer } from "#test/article/local-server.fixture.ts";
import { createAsk, type Answer } from "./ask.ts";
import type { HostedProvider } from "./models.ts";

interface Protocol {
  provider: HostedProvider;
  open(baseURL: string): LanguageModel;
  text: object[];
  end: object[];
}

const PROTOCOLS: Protocol[] = [
  {
    provider: "anthropic",
    open: (baseURL) => createAnthropic({ apiKey: "key", baseURL })("claude-test"),
    text: [
      {
        type: "message_start",
        message: {
          id: "m",
          type: "message",
          role: "assistant",
          model: "claude-test",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 3, output_tokens: 1 },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Once upon" } },
    ],
    end: [
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 5 },
      },
      { type: "message_stop" },
    ],
  },
  {
    provider: "openai",
    open: (baseURL) => createOpenAI({ apiKey: "key", baseURL })("gpt-test"),
    text: [
      { type: "response.created", response: { id: "r", created_at: 1, model: "gpt-test" } },
      { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "i" } },
      { type: "response.output_text.delta", item_id: "i", delta: "Once upon" },
    ],
    end: [
      { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "i" } },
      { type: "response.completed", response: { usage: { input_tokens: 3, output_tokens: 5 } } },
    ],
  },
  {
    provider: "google",
    open: (baseURL) => createGoogle({ apiKey: "key", baseURL })("gemini-test"),
    text: [
      { candidates: [{ content: { parts: [{ text: "Once upon" }], role: "model" }, index: 0 }] },
    ],
    end: [
      {
        candidates: [
          { content: { parts: [{ text: "" }], role: "model" }, finishReason: "STOP", index: 0 },
        ],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5, totalTokenCount: 8 },
      },
    ],
  },
];

async function ask(protocol: Protocol, events: readonly object[]): Promise<Answer> {
  await using server = await openLocalServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(
      events
        .map((event) => {
          const name = "type" in event ? `event: ${String(event.type)}\n` : "";
          return `${name}data: ${JSON.stringify(event)}\n\n`;
        })
        .join(""),
    );
  });
  const chosen = {
    provider: protocol.provider,
    modelId: "test",
    model: protocol.open(`${server.origin}/v1`),
    keyVariable: "KEY",
  };
  const question = { instructions: "Be short.", prompt: "Say something." };
  return await createAsk(chosen, 60_000)(question, new AbortController().signal, async () => {});
}

describe.each(PROTOCOLS)("$provider", (protocol) => {
  test("an answer with the protocol's end marker is complete", async () => {
    expect(await ask(protocol, [...protocol.text, ...protocol.end])).toEqual({
      text: "Once upon",
      inputTokens: 3,
      outputTokens: 5,
    });
  });

  test("an answer without the end marker leads to a retry", async () => {
    await expect(ask(protocol, protocol.text)).rejects.toMatchObject({
      name: "Transient",
      code: "LLM_CUT_OFF",
    });
  });
});
