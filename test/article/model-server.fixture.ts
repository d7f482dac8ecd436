/** A server that speaks the OpenAI-compatible streaming protocol, for tests. */
import type { ServerResponse } from "node:http";
import { openLocalServer, type LocalServer } from "./local-server.fixture.ts";

export interface ModelRequest {
  model: string;
  max_tokens?: number;
  messages: { role: string; content: string }[];
  authorization: string | undefined;
  traceparent: string | undefined;
}

export interface ModelServer extends LocalServer {
  requests: ModelRequest[];
}

export type ModelAnswer = (request: ModelRequest, reply: ModelReply) => void | Promise<void>;

export interface ModelReply {
  response: ServerResponse;
  /** Sends one piece of text. */
  write(text: string): Promise<void>;
  /** Sends the end of the protocol, with the usage. */
  end(finishReason?: string): void;
  /** Sends a whole answer in small pieces. */
  answer(text: string): Promise<void>;
  fail(status: number, message: string, headers?: Record<string, string>): void;
}

/** Usage of each answer. */
export const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };

export async function openModelServer(answer: ModelAnswer): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const server = await openLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Omit<
        ModelRequest,
        "authorization" | "traceparent"
      >;
      const { authorization } = request.headers;
      const [traceparent] = request.headersDistinct.traceparent ?? [];
      const asked = { ...body, authorization, traceparent };
      requests.push(asked);
      void answer(asked, replyOn(response));
    });
  });
  return { ...server, requests };
}

function replyOn(response: ServerResponse): ModelReply {
  const send = (data: unknown): Promise<void> =>
    new Promise((sent) => {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(data)}\n\n`, () => sent());
    });
  const write = (text: string): Promise<void> =>
    send(chunk({ role: "assistant", content: text }, null));
  const end = (finishReason = "stop"): void => {
    void send(chunk({}, finishReason, USAGE));
    response.end("data: [DONE]\n\n");
  };
  return {
    response,
    write,
    end,
    async answer(text) {
      for (const piece of text.match(/[\s\S]{1,40}/g) ?? []) await write(piece);
      end();
    },
    fail(status, message, headers = {}) {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify({ error: { message, type: "error", code: null, param: null } }));
    },
  };
}

function chunk(delta: object, finish: string | null, usage?: object): object {
  return {
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "test",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...(usage === undefined ? {} : { usage }),
  };
}
