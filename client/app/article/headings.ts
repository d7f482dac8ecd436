/** Moves an article's headings one level down, below the title of the page that shows it. Pure. */
export function lowerHeadings(html: string): string {
  // The HTML is sanitised, so headings never occur inside a comment, a script or an attribute.
  return html.replace(/<(\/?)h([1-5])\b/gi, (_, slash: string, level: string) => {
    return `<${slash}h${Number(level) + 1}`;
  });
}
