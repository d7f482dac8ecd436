/** Sends one streamed request to a model, without retries: the runner retries jobs. */
import { streamText } from "ai";
import { Failure, Transient } from "#server/kinds/define.ts";
import { beginningOf } from "#shared/cut-text.ts";
import { createWholeCharacters } from "#shared/whole-characters.ts";
import { llmError } from "./llm-error.ts";
import type { ChosenModel } from "./models.ts";

export interface Question {
  instructions: string;
  prompt: string;
  /** Sent to the model's server, whose spans then belong to the trace of the job. */
  traceparent?: string | undefined;
}

export interface Answer {
  text: string;
  inputTokens: number;
  outputTokens: number;
}

export type Ask = (
  question: Question,
  signal: AbortSignal,
  onText: (text: string) => Promise<void>,
) => Promise<Answer>;

/** Many times an article's length. A longer answer is cut off here, and the checks judge the rest. */
const MOST_CHARACTERS = 40_000;
const MOST_TOKENS = 8_000;

/**
 * The returned function rejects with `Failure`, `Transient` (also after `stallMs` without data), or the abort reason of
 * the signal. `onText` applies backpressure to the stream.
 */
export function createAsk(chosen: ChosenModel, stallMs: number): Ask {
  return async ({ instructions, prompt, traceparent }, signal, onText) => {
    const enough = new AbortController();
    const stall = new AbortController();
    let timer = setTimeout(() => stall.abort(), stallMs);
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
    };
    const whole = createWholeCharacters();
    const answer: Answer = { text: "", inputTokens: 0, outputTokens: 0 };
    let ended = false;
    let full = false;
    try {
      const { stream } = streamText({
        model: chosen.model,
        instructions,
        prompt,
        ...(traceparent !== undefined && { headers: { traceparent } }),
        maxRetries: 0,
        maxOutputTokens: MOST_TOKENS,
        abortSignal: AbortSignal.any([signal, stall.signal, enough.signal]),
        // Errors also arrive as parts of the stream; the default handler prints them.
        onError: () => {},
      });
      for await (const part of stream) {
        alive();
        if (part.type === "error") throw part.error;
        if (part.type === "text-delta") {
          const came = whole(part.text);
          full = answer.text.length + came.length > MOST_CHARACTERS;
          const text = full ? within(answer.text, came) : came;
          answer.text += text;
          if (text !== "") await onText(text);
          // Waiting for the consumer does not count as a stall of the server.
          alive();
        }
        if (part.type === "finish") {
          answer.inputTokens = part.totalUsage.inputTokens ?? 0;
          answer.outputTokens = part.totalUsage.outputTokens ?? 0;
          if (part.finishReason === "content-filter") throw refused(chosen);
          ended = part.finishReason !== "interrupted";
        }
        if (full) {
          ended = true;
          break;
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!stall.signal.aborted) throw llmError(error, chosen);
    } finally {
      clearTimeout(timer);
      enough.abort();
    }
    signal.throwIfAborted();
    if (stall.signal.aborted) {
      const message = `${chosen.provider} sent nothing for ${stallMs / 1000} s`;
      throw new Transient("LLM_STALLED", message);
    }
    if (!ended) throw new Transient("LLM_CUT_OFF", `${chosen.provider} ended its answer early`);
    return answer;
  };
}

/** The beginning of `piece` that still fits after `before`. */
function within(before: string, piece: string): string {
  return beginningOf(before + piece, MOST_CHARACTERS).slice(before.length);
}

function refused({ provider, modelId }: ChosenModel): Failure {
  return new Failure("LLM_REFUSED", `${provider} stopped ${modelId} with its content filter`);
}
