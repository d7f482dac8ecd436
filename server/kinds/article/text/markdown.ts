/** Escapes foreign text as Markdown that renders as exactly that text, without formatting or links. */
const SPECIAL = /[\\`*_[\]<>|~&]/g;

export function escapeMarkdown(text: string): string {
  return (
    text
      .replaceAll(/\s+/g, " ")
      .trim()
      .replaceAll(SPECIAL, String.raw`\$&`)
      // Signs that start a block at the beginning of a line.
      .replace(/^[#+=-]/, String.raw`\$&`)
      .replace(/^(\d{1,9})([.)])/, String.raw`$1\$2`)
      // Prevents autolinks.
      .replaceAll("://", String.raw`\://`)
      .replaceAll(/www\./gi, (www) => `${www.slice(0, -1)}\\.`)
      .replaceAll("@", String.raw`\@`)
  );
}

export function markdownLink(text: string, url: string): string {
  // A Markdown renderer percent-encodes an umlaut domain, and only browsers undo that.
  const written = /[^\0-\x7f]/.test(url) && URL.canParse(url) ? new URL(url).href : url;
  // Parentheses and spaces would end the address early.
  const address = written.replaceAll("(", "%28").replaceAll(")", "%29").replaceAll(" ", "%20");
  return `[${escapeMarkdown(text)}](${address})`;
}
