const FENCE = "```";
const LANGUAGES = ["", "markdown", "md"];

/** Models often wrap Markdown into a code fence against their instructions. */
export function stripCodeFence(text: string): string {
  const fenced = text.trim();
  const start = fenced.indexOf("\n") + 1;
  const end = fenced.length - `\n${FENCE}`.length;
  if (!fenced.startsWith(FENCE) || !fenced.endsWith(`\n${FENCE}`) || start > end) return text;
  const language = fenced.slice(FENCE.length, start).trimEnd();
  return LANGUAGES.includes(language) ? fenced.slice(start, end) : text;
}
