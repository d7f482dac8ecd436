/**
 * Lets a stream of Markdown through without a heading on its first line: the writer has set one already.
 * White space before the heading and after it goes too. Holds nothing back, however long a line is.
 */
type Place = "start" | "heading" | "gap" | "text";

export function withoutHeading(
  out: (text: string) => Promise<void>,
): (text: string) => Promise<void> {
  let place: Place = "start";
  return async (text) => {
    let rest = text;
    if (place === "start") {
      rest = rest.trimStart();
      if (rest === "") return;
      place = rest.startsWith("#") ? "heading" : "text";
    }
    if (place === "heading") {
      const end = rest.indexOf("\n");
      if (end === -1) return;
      rest = rest.slice(end);
      place = "gap";
    }
    if (place === "gap") {
      rest = rest.trimStart();
      if (rest === "") return;
      place = "text";
    }
    await out(rest);
  };
}
