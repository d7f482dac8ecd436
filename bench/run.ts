/** `npm run bench`: runs the scenarios one after the other, prints what they found, and keeps it as JSON. */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Report, tableOf } from "./report.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    json: { type: "string", default: fileURLToPath(new URL("results.json", import.meta.url)) },
  },
});

const names = SCENARIOS.map(({ name }) => name);
const unknown = values.only?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`There is no scenario "${unknown}". There are: ${names.join(", ")}\n`);
  process.exit(1);
}

const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.version}`;
process.stdout.write(`${machine}\n\n`);
const reports: Report[] = [];
for (const { name, run } of SCENARIOS) {
  if (values.only !== undefined && !values.only.includes(name)) continue;
  const report = await run({ quick: values.quick });
  reports.push(report);
  process.stdout.write(`${tableOf(report)}\n`);
}
const results = { machine, quick: values.quick, at: new Date(), reports };
writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
