/**
 * Draws SVG bar charts for the documentation: the cost of a delivery, and the wait beside another tenant. Their colours
 * follow the reader's colour scheme.
 */
import { CPU } from "./delivery.ts";
import { type Report, shown } from "./report.ts";
import { ALONE, BESIDE } from "./scenarios/fairness.ts";

const WIDTH = 760;
const LABEL = 170;
const BAR = 20;
const STEP = 28;
const TITLE = 34;
const GAP = 22;
/** Space for the figure next to the longest bar. */
const FIGURE = 150;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .figure { fill: #57606a }
  .ours { fill: #1a7f64 }
  .peer { fill: #a8b1bb }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .figure { fill: #9198a1 }
    .ours { fill: #3fb992 }
    .peer { fill: #57606a }
  }`;

interface Bar {
  label: string;
  value: number;
  /** The text beside the bar. */
  figure: string;
  ours: boolean;
}

interface Group {
  title: string;
  bars: Bar[];
}

/** One group of bars for each report that compares deliveries. Each contender is compared with the first. */
export function chartOf(reports: readonly Report[]): string {
  const groups = reports.flatMap(({ title, rows }): Group[] => {
    const costs = rows.flatMap(({ who, figures }) => {
      const cost = figures?.[CPU];
      return cost === undefined ? [] : [{ who, cost }];
    });
    const [ours, first] = costs;
    if (ours === undefined || first === undefined) return [];
    const bars = costs.map(({ who, cost }) => {
      const times = who === first.who ? "" : ` · ${shown(cost / first.cost)} x`;
      return {
        label: who,
        value: cost,
        figure: `${shown(cost)} µs${times}`,
        ours: who === ours.who,
      };
    });
    return [{ title, bars }];
  });
  return drawn("Server CPU for each delivered event", groups);
}

/** One group for each row of the scenario `fairness`: the wait alone, and beside the other tenant. */
export function fairnessChartOf({ title, rows }: Report): string {
  const groups = rows.flatMap(({ who, figures }): Group[] => {
    if (figures === undefined) return [];
    const bars = [ALONE, BESIDE].map((name) => {
      const value = figures[name] ?? Number.NaN;
      return {
        label: name.split(":")[0] ?? "",
        value,
        figure: `${shown(value)} ms`,
        ours: name === BESIDE,
      };
    });
    return [{ title: who, bars }];
  });
  return drawn(title, groups);
}

/** Each group has a scale of its own. */
function drawn(label: string, groups: readonly Group[]): string {
  const shapes: string[] = [];
  let y = 0;
  for (const { title, bars } of groups) {
    const largest = Math.max(...bars.map(({ value }) => value));
    shapes.push(`<text class="title" x="0" y="${y + 18}">${escaped(title)}</text>`);
    y += TITLE;
    for (const { label: name, value, figure, ours } of bars) {
      const length = Math.max(1, ((WIDTH - LABEL - FIGURE) * value) / largest);
      shapes.push(
        `<text x="${LABEL - 10}" y="${y + 15}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${ours ? "ours" : "peer"}" x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3"/>`,
        `<text class="figure" x="${(LABEL + length + 8).toFixed(1)}" y="${y + 15}">${figure}</text>`,
      );
      y += STEP;
    }
    y += GAP;
  }
  const height = Math.max(0, y - GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(label)}">`,
    `<style>${STYLE}\n</style>`,
    ...shapes,
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
