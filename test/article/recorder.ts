/** Runs a kind and records its reports. */
import type { ArticleOutput } from "#shared/article/article.ts";
import { z } from "zod";
import { type AnyKind, outcomeOf, type RunContext } from "#server/kinds/define.ts";

export interface Recorder {
  context: RunContext<unknown>;
  progress: { percent: number; message: string }[];
  draft(): string;
  /** Log lines: `info: The text`. */
  lines: string[];
}

export interface ArticleOutcome {
  status: "delivered" | "blocked";
  message: string;
  output: ArticleOutput;
}

export const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export function createRecorder(input: unknown, signal: AbortSignal): Recorder {
  const progress: Recorder["progress"] = [];
  const lines: string[] = [];
  let draft = "";
  return {
    progress,
    lines,
    draft: () => draft,
    context: {
      jobId: "018f0000-0000-7000-8000-000000000001",
      input,
      attempt: 1,
      signal,
      traceparent: TRACEPARENT,
      async progress(percent, message) {
        progress.push({ percent, message });
      },
      async draft(text) {
        draft += text;
      },
      log: (level, message) => void lines.push(`${level}: ${message}`),
    },
  };
}

export async function runArticleKind(
  kind: AnyKind,
  input: unknown,
  signal = new AbortController().signal,
): Promise<{ outcome: ArticleOutcome; recorder: Recorder }> {
  const recorder = createRecorder(z.parse(kind.input, input), signal);
  const outcome = outcomeOf(await kind.run(recorder.context)) as ArticleOutcome;
  return { outcome, recorder };
}
