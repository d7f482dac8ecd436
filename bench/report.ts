/** The result of a scenario: figures of each contender, and goals. */
export interface Report {
  scenario: string;
  title: string;
  rows: Row[];
  goals: Goal[];
}

export interface Row {
  who: string;
  /** By column heading, which names the unit. Absent if the contender is not installed. */
  figures?: Record<string, number>;
}

export interface Goal {
  what: string;
  figure: number;
  unit: string;
  atMost?: number;
  atLeast?: number;
}

export function isMet({ figure, atMost = Infinity, atLeast = -Infinity }: Goal): boolean {
  return figure <= atMost && figure >= atLeast;
}

export const NOT_INSTALLED = "not installed";

/** A table that reads well in a terminal and as Markdown. `judged`: print whether the goals are met. */
export function tableOf({ title, rows, goals }: Report, judged: boolean): string {
  const headings = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures ?? {})))];
  const lines = [
    ["", ...headings],
    ...rows.map(({ who, figures }) => [
      who,
      ...headings.map((heading, i) => {
        if (figures === undefined) return i === 0 ? NOT_INSTALLED : "";
        const figure = figures[heading];
        return figure === undefined ? "" : shown(figure);
      }),
    ]),
  ];
  const widths =
    lines[0]?.map((_, i) => Math.max(3, ...lines.map((cells) => cells[i]?.length ?? 0))) ?? [];
  const [head, ...body] = lines.map(
    (cells) =>
      `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [
    `### ${title}`,
    "",
    head,
    rule,
    ...body,
    ...(goals.length > 0 ? [""] : []),
    ...goals.map((goal) => lineOf(goal, judged)),
    "",
  ].join("\n");
}

function lineOf(goal: Goal, judged: boolean): string {
  const { what, figure, unit, atMost, atLeast } = goal;
  const verdict = judged ? (isMet(goal) ? "met" : "MISSED") : "not judged";
  const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `- ${verdict}: ${what}: ${shown(figure)}${unit} (${limit}${unit})`;
}

export function shown(figure: number): string {
  if (Math.abs(figure) >= 100) return Math.round(figure).toLocaleString("en");
  return figure.toFixed(Math.abs(figure) >= 10 ? 1 : 2);
}
