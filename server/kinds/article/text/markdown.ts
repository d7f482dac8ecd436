/** Text from elsewhere as Markdown that shows exactly that text: no formatting, no links that nobody asked for. */
const SPECIAL = /[\\`*_[\]<>|~&]/g;

export function escapeMarkdown(text: string): string {
  return (
    text
      .replaceAll(/\s+/g, " ")
      .trim()
      .replaceAll(SPECIAL, String.raw`\$&`)
      // What starts a block at the beginning of a line.
      .replace(/^[#+=-]/, String.raw`\$&`)
      .replace(/^(\d{1,9})([.)])/, String.raw`$1\$2`)
      // What becomes a link by itself.
      .replaceAll("://", String.raw`\://`)
      .replaceAll(/www\./gi, (www) => `${www.slice(0, -1)}\\.`)
      .replaceAll("@", String.raw`\@`)
  );
}

export function markdownLink(text: string, url: string): string {
  // A Markdown renderer percent-encodes an umlaut domain, which only browsers undo.
  const written = /[^\0-\x7f]/.test(url) && URL.canParse(url) ? new URL(url).href : url;
  // Parentheses and spaces would end the address early.
  const address = written.replaceAll("(", "%28").replaceAll(")", "%29").replaceAll(" ", "%20");
  return `[${escapeMarkdown(text)}](${address})`;
}
