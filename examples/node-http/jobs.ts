import { setTimeout as pause } from "node:timers/promises";
import { createJobwire, defineKind, Failure } from "jobwire";
import Papa from "papaparse";
import { z } from "zod";

const Contact = z.object({ name: z.string().min(1), email: z.email() });

/** Stands in for a database. */
export const contacts = new Map<string, z.output<typeof Contact>>();

const csvImport = defineKind({
  name: "csvImport",
  description: "Imports contacts from CSV with the columns name and email.",
  input: z.object({ csv: z.string().max(200_000) }),
  details: z.object({ imported: z.int(), refused: z.int() }),
  output: z.object({
    imported: z.int(),
    refused: z.array(z.object({ line: z.int(), reason: z.string() })),
  }),
  start: { progress: 0, message: "Reading the file" },

  async run({ input, signal, progress }) {
    const { data: rows } = Papa.parse<unknown>(input.csv, { header: true, skipEmptyLines: true });
    if (rows.length === 0) throw new Failure("EMPTY_FILE", "The file has no rows. Add some.");

    let imported = 0;
    const refused: { line: number; reason: string }[] = [];
    for (const [index, row] of rows.entries()) {
      const contact = Contact.safeParse(row);
      if (contact.success) {
        contacts.set(contact.data.email, contact.data);
        imported += 1;
      } else {
        refused.push({ line: index + 2, reason: z.prettifyError(contact.error) });
      }
      await progress(Math.floor((99 * (index + 1)) / rows.length), `Row ${index + 1}`, {
        imported,
        refused: refused.length,
      });
      // A real database would take this time.
      await pause(50, undefined, { signal });
    }
    return { imported, refused };
  },
});

export const jobwire = createJobwire({ kinds: [csvImport] });

type Server = typeof jobwire;
export interface App extends Server {}
