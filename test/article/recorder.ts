/** Runs a kind and records its reports. */
import type { ArticleOutput } from "#shared/article.ts";
import type { AnyKind, Outcome, RunContext } from "#server/kinds/define.ts";

export interface Recorder {
  context: RunContext<unknown>;
  progress: { percent: number; message: string }[];
  draft(): string;
}

export function createRecorder(input: unknown, signal: AbortSignal): Recorder {
  const progress: Recorder["progress"] = [];
  let draft = "";
  return {
    progress,
    draft: () => draft,
    context: {
      jobId: "018f0000-0000-7000-8000-000000000001",
      input,
      attempt: 1,
      signal,
      async progress(percent, message) {
        progress.push({ percent, message });
      },
      async draft(text) {
        draft += text;
      },
    },
  };
}

export async function runArticleKind(
  kind: AnyKind,
  input: unknown,
  signal = new AbortController().signal,
): Promise<{ outcome: Outcome<ArticleOutput>; recorder: Recorder }> {
  const recorder = createRecorder(kind.input.parse(input), signal);
  const outcome = (await kind.run(recorder.context)) as Outcome<ArticleOutput>;
  return { outcome, recorder };
}
