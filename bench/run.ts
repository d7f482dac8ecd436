/**
 * `npm run bench`: runs the scenarios one after the other, prints their results and writes them as JSON. A full run
 * also updates the documentation.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { summaryOf, writeDocs } from "./docs.ts";
import { type Report, tableOf } from "./report.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const { values } = parseArgs({
  options: {
    /** Small numbers that are not judged: only checks that the scenarios run. */
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    json: { type: "string", default: fileURLToPath(new URL("results.json", import.meta.url)) },
  },
});
const { quick, only, json } = values;

const names = SCENARIOS.map(({ name }) => name);
const unknown = only?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`There is no scenario "${unknown}". There are: ${names.join(", ")}\n`);
  process.exit(1);
}

const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.version}`;
process.stdout.write(`${machine}\n\n`);
const reports: Report[] = [];
for (const { name, run } of SCENARIOS) {
  if (only !== undefined && !only.includes(name)) continue;
  for (const report of [await run({ quick })].flat()) {
    reports.push(report);
    process.stdout.write(`${tableOf(report, !quick)}\n`);
  }
}

if (!quick) process.stdout.write(`${summaryOf(reports)}\n`);
const results = { machine, quick, at: new Date(), reports };
writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
if (!quick && only === undefined) writeDocs(results);
