/**
 * Drops a heading on the first line of a stream of Markdown, because the writer has set one already, and the white
 * space around it. Buffers nothing, so a line may be of any length.
 */
type Place = "start" | "heading" | "gap" | "text";

export function stripLeadingHeading(
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
