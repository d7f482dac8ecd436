/** Writes without a network: composes an article and drafts it sentence by sentence, at a readable pace. */
import { setTimeout as pause } from "node:timers/promises";
import type { Brief, Desk, Write, Written } from "#server/kinds/article/brief.ts";
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";

/** `paceMs`: pause after each sentence. */
export function createOfflineWriter(paceMs: number, runTask: RunTask): Write {
  return async (brief: Brief, desk: Desk): Promise<Written> => {
    const { title, parts } = await runTask("compose", brief, desk.signal);
    let markdown = "";
    const write = async (text: string): Promise<void> => {
      desk.signal.throwIfAborted();
      markdown += text;
      await desk.draft(text);
      if (paceMs > 0) await pauseFor(paceMs, desk.signal);
    };
    const sections = parts.filter(({ heading }) => heading !== undefined).length;
    await desk.step(0, `Outlined ${sections} sections from quotations of both pages`);
    await write(title);
    for (const [at, { heading, pieces }] of parts.entries()) {
      await desk.step(
        at / parts.length,
        heading === undefined ? "Writing the introduction" : `Writing "${heading}"`,
      );
      for (const piece of pieces) await write(piece);
    }
    return { markdown, inputTokens: 0, outputTokens: 0 };
  };
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (error) {
    // `setTimeout` rejects with an `AbortError` whose cause is the reason.
    signal.throwIfAborted();
    throw error;
  }
}
