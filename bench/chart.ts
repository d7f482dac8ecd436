/**
 * Draws the cost of a delivery as an SVG bar chart for the README. Its colours follow the reader's colour scheme.
 */
import { CPU } from "./delivery.ts";
import { type Report, shown } from "./report.ts";

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

/** One group of bars for each report that compares deliveries. Each contender is compared with the first. */
export function chartOf(reports: readonly Report[]): string {
  const shapes: string[] = [];
  let y = 0;
  for (const { title, rows } of reports) {
    const bars = rows.flatMap(({ who, figures }) => {
      const cost = figures?.[CPU];
      return cost === undefined ? [] : [{ who, cost }];
    });
    const [ours, first] = bars;
    if (ours === undefined || first === undefined) continue;
    const largest = Math.max(...bars.map(({ cost }) => cost));
    shapes.push(`<text class="title" x="0" y="${y + 18}">${escaped(title)}</text>`);
    y += TITLE;
    for (const { who, cost } of bars) {
      const length = Math.max(1, ((WIDTH - LABEL - FIGURE) * cost) / largest);
      const times = who === first.who ? "" : ` · ${shown(cost / first.cost)} x`;
      shapes.push(
        `<text x="${LABEL - 10}" y="${y + 15}" text-anchor="end">${escaped(who)}</text>`,
        `<rect class="${who === ours.who ? "ours" : "peer"}" x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3"/>`,
        `<text class="figure" x="${(LABEL + length + 8).toFixed(1)}" y="${y + 15}">${shown(cost)} µs${times}</text>`,
      );
      y += STEP;
    }
    y += GAP;
  }
  const height = Math.max(0, y - GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Server CPU for each delivered event">`,
    `<style>${STYLE}\n</style>`,
    ...shapes,
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
