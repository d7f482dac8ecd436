import { expect, test } from "vitest";
import { Failure, Transient } from "#server/kinds/define.ts";
import { openLocalServer } from "#test/article/local-server.fixture.ts";
import { openModelServer, type ModelAnswer } from "#test/article/model-server.fixture.ts";
import { createAsk, type Answer } from "./ask.ts";
import { chooseModel, type ChosenModel } from "./models.ts";

const QUESTION = { instructions: "Be short.", prompt: "Say something." };
const never = new AbortController().signal;

function modelAt(origin: string): ChosenModel {
  const model = chooseModel("compatible", {
    llmBaseUrl: `${origin}/v1`,
    llmModel: "test-model",
    openaiApiKey: "sk-secret",
  });
  if (model === undefined) throw new Error("a model was asked for");
  return model;
}

async function ask(
  answer: ModelAnswer,
  {
    stallMs = 60_000,
    signal = never,
    onText = async () => {},
  }: { stallMs?: number; signal?: AbortSignal; onText?: (text: string) => Promise<void> } = {},
): Promise<Answer> {
  await using server = await openModelServer(answer);
  return await createAsk(modelAt(server.origin), stallMs)(QUESTION, signal, onText);
}

function failed(answering: Promise<unknown>): Promise<unknown> {
  return answering.then(
    () => expect.unreachable("it should fail"),
    (error: unknown) => error,
  );
}

test("text arrives in pieces, in order, with its token counts", async () => {
  const pieces: string[] = [];
  const answer = await ask(
    (_, reply) => reply.answer("Once upon a time there was a garden, and a lamp."),
    {
      onText: async (text) => {
        pieces.push(text);
      },
    },
  );
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join("")).toBe(answer.text);
  expect(answer).toEqual({
    text: "Once upon a time there was a garden, and a lamp.",
    inputTokens: 10,
    outputTokens: 20,
  });
});

test("the request carries the model, the instructions, the prompt and the key", async () => {
  await using server = await openModelServer((_, reply) => reply.answer("Yes."));
  await createAsk(modelAt(server.origin), 60_000)(QUESTION, never, async () => {});
  expect(server.requests).toMatchObject([
    {
      model: "test-model",
      authorization: "Bearer sk-secret",
      messages: [
        { role: "system", content: "Be short." },
        { role: "user", content: "Say something." },
      ],
    },
  ]);
});

test.each([
  [401, {}, Failure, "LLM_AUTH", undefined],
  [403, {}, Failure, "LLM_AUTH", undefined],
  [400, {}, Failure, "LLM_REQUEST", undefined],
  [404, {}, Failure, "LLM_REQUEST", undefined],
  [413, {}, Failure, "LLM_REQUEST", undefined],
  [429, { "retry-after": "17" }, Transient, "LLM_RATE_LIMITED", 17_000],
  [429, { "retry-after": "17", "retry-after-ms": "1234" }, Transient, "LLM_RATE_LIMITED", 1234],
  [429, {}, Transient, "LLM_RATE_LIMITED", undefined],
  [500, {}, Transient, "LLM_UNAVAILABLE", undefined],
  [503, { "retry-after": "3" }, Transient, "LLM_UNAVAILABLE", 3000],
  // The other machine's clock is years behind.
  [
    503,
    { "retry-after": "Sun, 01 Mar 2020 12:00:07 GMT", date: "Sun, 01 Mar 2020 12:00:00 GMT" },
    Transient,
    "LLM_UNAVAILABLE",
    7000,
  ],
  [529, {}, Transient, "LLM_UNAVAILABLE", undefined],
] as const)(
  "status %i with %j is requested once and ends as %o %s",
  async (status, headers, kind, code, retryAfterMs) => {
    let asked = 0;
    const error = await failed(
      ask((_, reply) => {
        asked += 1;
        reply.fail(status, "no such luck", headers);
      }),
    );
    expect(error).toBeInstanceOf(kind);
    expect(error instanceof Transient ? error.retryAfterMs : undefined).toBe(retryAfterMs);
    expect(error).toMatchObject({ code });
    expect(asked).toBe(1);
  },
);

test("a date in Retry-After sets the retry delay", async () => {
  const header = new Date(Date.now() + 3_600_000).toUTCString();
  const error = await failed(
    ask((_, reply) => reply.fail(429, "later", { "retry-after": header })),
  );
  const wait = error instanceof Transient ? (error.retryAfterMs ?? 0) : 0;
  expect(wait).toBeGreaterThan(3_000_000);
  expect(wait).toBeLessThanOrEqual(3_600_000);
});

test("the error of a refused key leaves out the server's reason, which can contain part of the key", async () => {
  const error = await failed(
    ask((_, reply) => reply.fail(401, "Incorrect API key provided: sk-secret")),
  );
  expect(error).toMatchObject({
    message: "API key invalid: compatible refused it with status 401. Check OPENAI_API_KEY",
  });
});

test("other errors quote the server's reason", async () => {
  const error = await failed(
    ask((_, reply) => reply.fail(400, `context too long ${"x".repeat(1000)}`)),
  );
  expect(error).toMatchObject({
    message: expect.stringContaining(
      "did not accept the request for test-model (status 400): context too long",
    ),
  });
  expect((error as Error).message.length).toBeLessThan(400);
});

test("a stream that breaks off leads to a retry", async () => {
  const error = await failed(
    ask(async (_, reply) => {
      await reply.write("Once upon");
      reply.response.destroy();
    }),
  );
  expect(error).toBeInstanceOf(Transient);
  expect(error).toMatchObject({ code: "LLM_STREAM" });
});

test.each([
  ["", "LLM_STREAM"],
  ["data: [DONE]\n\n", "LLM_STREAM"],
])("a stream that ends without a finish event, with %j, leads to a retry", async (end, code) => {
  const error = await failed(
    ask(async (_, reply) => {
      await reply.write("Once upon");
      reply.response.end(end);
    }),
  );
  expect(error).toBeInstanceOf(Transient);
  expect(error).toMatchObject({ code });
});

test.each(["data: {no json\n\n", 'data: {"error":{"message":"overloaded"}}\n\n'])(
  "an error within the stream leads to a retry: %j",
  async (line) => {
    const error = await failed(
      ask(async (_, reply) => {
        await reply.write("Once upon");
        reply.response.end(line);
      }),
    );
    expect(error).toBeInstanceOf(Transient);
    expect(error).toMatchObject({ code: "LLM_STREAM" });
  },
);

test.each([
  ["before the first word", ""],
  ["in the middle", "Once upon"],
])("a stream that stalls %s is aborted and leads to a retry", async (_, text) => {
  const error = await failed(
    ask(
      async (_request, reply) => {
        if (text !== "") await reply.write(text);
      },
      { stallMs: 100 },
    ),
  );
  expect(error).toBeInstanceOf(Transient);
  expect(error).toMatchObject({
    code: "LLM_STALLED",
    message: "compatible sent nothing for 0.1 s",
  });
});

test("an answer stopped by the content filter ends the job", async () => {
  const error = await failed(
    ask(async (_, reply) => {
      await reply.write("Once upon");
      reply.end("content_filter");
    }),
  );
  expect(error).not.toBeInstanceOf(Transient);
  expect(error).toMatchObject({ code: "LLM_REFUSED" });
});

test("an endless answer is cut off at a multiple of an article's length", async () => {
  const answer = await ask(async (_, reply) => {
    for (let sent = 0; sent < 500 && !reply.response.destroyed; sent++)
      await reply.write("x".repeat(200));
  });
  expect(answer.text).toBe("x".repeat(40_000));
});

test.each([
  ["an emoji", ["😀"]],
  ["an emoji in two pieces", ["\ud83d", "\ude00"]],
  ["a family of emoji", ["👨‍👩‍👧‍👦"]],
])("%s at the cut of an answer is dropped whole, for watchers too", async (_what, pieces) => {
  const seen: string[] = [];
  const answer = await ask(
    async (_, reply) => {
      await reply.write("x".repeat(39_999));
      for (const piece of pieces) await reply.write(piece);
      await reply.write("y".repeat(200));
    },
    {
      onText: async (text) => {
        seen.push(text);
      },
    },
  );
  expect(answer.text).toBe("x".repeat(39_999));
  expect(seen.join("")).toBe(answer.text);
});

test("an abort in the middle ends the request with its own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  const closed = Promise.withResolvers<void>();
  const error = await failed(
    ask(
      async (_, reply) => {
        reply.response.on("close", closed.resolve);
        await reply.write("Once upon");
      },
      {
        signal: controller.signal,
        onText: async () => controller.abort(reason),
      },
    ),
  );
  expect(error).toBe(reason);
  await closed.promise;
});

test("[H12] an unreachable server leads to a retry, and the error does not name its address", async () => {
  const closed = await openLocalServer(() => {});
  await closed[Symbol.asyncDispose]();
  const asking = createAsk(modelAt(closed.origin), 60_000)(QUESTION, never, async () => {});
  const error = await failed(asking);
  expect(error).toBeInstanceOf(Transient);
  expect(error).toMatchObject({
    code: "LLM_UNREACHABLE",
    message: "compatible cannot be reached: ECONNREFUSED",
  });
});

test("an error of `onText` is rethrown unchanged", async () => {
  const lost = new Failure("CLAIM_LOST", "the claim was lost");
  const error = await failed(
    ask((_, reply) => reply.answer("Once upon a time"), { onText: () => Promise.reject(lost) }),
  );
  expect(error).toBe(lost);
});
