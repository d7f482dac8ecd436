/** Splits an article of the offline writer into the Markdown pieces that the draft shows one by one. */
import type { Brief } from "#server/kinds/article/brief.ts";
import { escapeMarkdown } from "#server/kinds/article/text/markdown.ts";
import { compose } from "./compose.ts";

export interface Script {
  /** `# …` and an empty line. */
  title: string;
  parts: ScriptPart[];
}

export interface ScriptPart {
  /** For progress messages; `undefined` for the introduction. */
  heading: string | undefined;
  /** Sentences with their separating white space. */
  pieces: string[];
}

export function script(brief: Brief): Script {
  const { title, parts } = compose(brief);
  return {
    title: `# ${escapeMarkdown(title)}\n\n`,
    parts: parts.map(({ heading, paragraphs }) => ({
      heading,
      pieces: [
        ...(heading === undefined ? [] : [`## ${escapeMarkdown(heading)}\n\n`]),
        ...paragraphs.flatMap(piecesOf),
      ],
    })),
  };
}

function piecesOf(sentences: readonly string[]): string[] {
  return [...sentences.map((sentence, at) => (at === 0 ? sentence : ` ${sentence}`)), "\n\n"];
}
