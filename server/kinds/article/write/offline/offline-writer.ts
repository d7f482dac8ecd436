/** Writes without a network: composes from the pages, sentence by sentence at a pace that a person can follow. */
import { setTimeout as pause } from "node:timers/promises";
import type { Brief, Desk, Write, Written } from "#server/kinds/article/brief.ts";
import { escapeMarkdown } from "#server/kinds/article/text/markdown.ts";
import { compose } from "./compose.ts";

/** `paceMs` after each sentence. */
export function createOfflineWriter(paceMs: number): Write {
  return async (brief: Brief, desk: Desk): Promise<Written> => {
    const { title, parts } = compose(brief);
    let markdown = "";
    const write = async (text: string): Promise<void> => {
      desk.signal.throwIfAborted();
      markdown += text;
      await desk.draft(text);
      if (paceMs > 0) await pauseFor(paceMs, desk.signal);
    };
    const sections = parts.filter(({ heading }) => heading !== undefined).length;
    await desk.step(0, `Outlined ${sections} sections from quotations of both pages`);
    await write(`# ${escapeMarkdown(title)}\n\n`);
    for (const [at, { heading, paragraphs }] of parts.entries()) {
      await desk.step(
        at / parts.length,
        heading === undefined ? "Writing the introduction" : `Writing "${heading}"`,
      );
      if (heading !== undefined) await write(`## ${escapeMarkdown(heading)}\n\n`);
      for (const sentences of paragraphs) {
        for (const [place, sentence] of sentences.entries()) {
          await write(place === 0 ? sentence : ` ${sentence}`);
        }
        await write("\n\n");
      }
    }
    return { markdown, inputTokens: 0, outputTokens: 0 };
  };
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (error) {
    // The timer's own error only has the reason inside.
    signal.throwIfAborted();
    throw error;
  }
}
