import { setTimeout as pause } from "node:timers/promises";
import { createJobwire, defineKind, Failure } from "jobwire";
import Papa from "papaparse";
import { z } from "zod";

const Column = z.object({ name: z.string(), numbers: z.int(), sum: z.number(), mean: z.number() });

const columnSums = defineKind({
  name: "columnSums",
  description: "Adds up the columns of a CSV file.",
  input: z.object({ csv: z.string().min(1, "Paste a table").max(200_000) }),
  details: z.object({ rows: z.int(), of: z.int() }),
  output: z.object({ columns: z.array(Column) }),

  async run({ input: { csv }, signal, progress }) {
    const { data, meta } = Papa.parse<Record<string, string>>(csv.trim(), { header: true });
    if (data.length === 0) throw new Failure("NO_ROWS", "The table has no rows. Add some.");
    const columns = (meta.fields ?? []).map((name) => ({ name, numbers: 0, sum: 0 }));
    for (const [index, row] of data.entries()) {
      for (const column of columns) {
        const number = Number.parseFloat(row[column.name] ?? "");
        if (Number.isNaN(number)) continue;
        column.numbers += 1;
        column.sum += number;
      }
      const details = { rows: index + 1, of: data.length };
      await progress(Math.floor((99 * details.rows) / details.of), `Row ${details.rows}`, details);
      // Larger tables would take this time.
      await pause(50, undefined, { signal });
    }
    return {
      columns: columns
        .filter(({ numbers }) => numbers > 0)
        .map((column) => ({ ...column, mean: column.sum / column.numbers })),
    };
  },
});

/** A function, because Vite's dev server starts anew when its configuration changes. */
export const openJobwire = () => createJobwire({ kinds: [columnSums] });

type Server = ReturnType<typeof openJobwire>;
export interface App extends Server {}
