/** Lets a stream of Markdown through without a heading on its first line: the writer has set one already. */
export interface Filter {
  write(text: string): Promise<void>;
  /** Lets through what was held back. */
  end(): Promise<void>;
}

export function withoutHeading(out: (text: string) => Promise<void>): Filter {
  let held: string | undefined = "";
  async function write(text: string): Promise<void> {
    if (held === undefined) return await out(text);
    held = (held + text).trimStart();
    if (held === "") return;
    const line = held.indexOf("\n");
    if (held.startsWith("#") && line === -1) return;
    const rest = held.startsWith("#") ? held.slice(line).trimStart() : held;
    held = rest === "" ? "" : undefined;
    if (rest !== "") await out(rest);
  }
  return {
    write,
    async end() {
      if (held !== undefined && held !== "" && !held.startsWith("#")) await out(held);
      held = undefined;
    },
  };
}
