import { setTimeout as pause } from "node:timers/promises";
import { createJobwire, defineKind } from "jobwire";
import { z } from "zod";

const Document = z.object({ id: z.string().min(1).max(100), text: z.string().max(20_000) });

/** The ids of the documents that contain a word. Stands in for a search engine. */
const index = new Map<string, Set<string>>();

const indexing = defineKind({
  name: "indexing",
  description: "Adds documents to the search index.",
  input: z.object({ documents: z.array(Document).min(1).max(1000) }),
  details: z.object({ indexed: z.int(), of: z.int(), words: z.int() }),
  output: z.object({ words: z.int() }),
  title: ({ documents }) => `${documents.length} documents for the index`,

  async run({ input: { documents }, signal, progress }) {
    for (const [position, { id, text }] of documents.entries()) {
      for (const word of wordsOf(text)) {
        index.set(word, (index.get(word) ?? new Set()).add(id));
      }
      const indexed = position + 1;
      await progress(Math.floor((99 * indexed) / documents.length), `Indexed ${id}`, {
        indexed,
        of: documents.length,
        words: index.size,
      });
      // A real search engine would take this time.
      await pause(50, undefined, { signal });
    }
    return { words: index.size };
  },
});

export function find(word: string): string[] {
  return [...(index.get(word.toLowerCase()) ?? [])];
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? [];
}

export const jobwire = createJobwire({
  kinds: [indexing],
  /** The program's own procedures, on the same endpoint and the same WebSocket as Jobwire's. */
  procedures: ({ router, procedure }) => ({
    search: router({
      find: procedure
        .input(z.object({ word: z.string().max(100) }))
        .query(({ input }) => find(input.word)),
    }),
  }),
});

type Server = typeof jobwire;
export interface App extends Server {}
