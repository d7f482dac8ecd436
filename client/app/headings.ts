/** An article's HTML with its headings one level down, for where it stands below a page's own title. Pure. */
export function lowerHeadings(html: string): string {
  // It is sanitised: a heading's tag is never within a comment, a script or an attribute.
  return html.replace(/<(\/?)h([1-5])\b/gi, (_, slash: string, level: string) => {
    return `<${slash}h${Number(level) + 1}`;
  });
}
