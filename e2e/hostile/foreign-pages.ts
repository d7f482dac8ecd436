/** Pages that are expensive to read, and a server for them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { timesOf } from "#test/long-run.ts";
import { type Attack, type Input, MIB, type Target } from "./attack.ts";
import { ask, postJson } from "./requests.ts";

interface Page {
  what: string;
  body: string;
  /** Absent: the response has no content type. */
  type?: string;
}

const HTML = "text/html; charset=utf-8";
const SEED = 2;
const GENERATED = timesOf(4, 12);
const LARGE = timesOf(6, 20);
/** Pages are read one after the other, each for up to its time limit. */
const READ_MS = 300_000;

const around = (body: string) => `<!doctype html><html lang="en"><body>${body}</body></html>`;
const heading = (what: string, text: string): Page => ({
  what: `a heading of ${what}`,
  body: around(`<h1>Planters</h1><h2>${text}</h2><p>Water them.</p>`),
  type: HTML,
});

const named: readonly Page[] = [
  { what: "60 comments and an x, of no type", body: `${"<!---->".repeat(60)}x` },
  { what: "100,000 comments, of no type", body: `${"<!---->".repeat(100_000)}x` },
  { what: "spaces, of no type", body: `${" ".repeat(MIB)}x` },
  { what: "comments that do not end, of no type", body: "<!--".repeat(100_000) },
  { what: "declarations, of no type", body: `${"<?xml ?>".repeat(50_000)}x` },
  heading("180,000 colons", ":".repeat(180_000)),
  heading("180,000 spaces", ` ${" &nbsp;".repeat(30_000)}x`),
  heading("180,000 dashes", "-".repeat(180_000)),
  heading("180,000 asterisks", "*".repeat(180_000)),
  heading("180,000 brackets", "[".repeat(180_000)),
  heading("180,000 dots and spaces", ". ".repeat(90_000)),
  heading("one word", "a".repeat(180_000)),
  { what: "a title of colons", body: `<title>${":".repeat(180_000)}</title>`, type: HTML },
  { what: "a title of bars", body: `<title>${" | ".repeat(60_000)}</title>`, type: HTML },
  { what: "a paragraph of dots", body: around(`<p>${". ".repeat(300_000)}</p>`), type: HTML },
  { what: "a paragraph of one word", body: around(`<p>${"a".repeat(MIB)}</p>`), type: HTML },
  { what: "a paragraph of 'a.'", body: around(`<p>${"a.".repeat(300_000)}</p>`), type: HTML },
  { what: "a deep tree", body: "<div>".repeat(200_000), type: HTML },
  { what: "a deep list", body: "<ul><li>".repeat(50_000), type: HTML },
  { what: "tags that do not end", body: "<a ".repeat(300_000), type: HTML },
  { what: "an attribute that does not end", body: `<a href="${"x".repeat(MIB)}`, type: HTML },
  { what: "metas that do not end", body: "<meta charset=".repeat(70_000), type: HTML },
  { what: "a charset of spaces", body: `<meta charset=${" ".repeat(MIB)}>`, type: HTML },
  { what: "scripts that do not end", body: "<script>".repeat(120_000), type: HTML },
  { what: "entities", body: around(`<p>${"&amp;#".repeat(160_000)}</p>`), type: HTML },
  { what: "links", body: around('<a href="/x">y</a>'.repeat(50_000)), type: HTML },
  { what: "tables", body: around("<table><tr><td>".repeat(20_000)), type: HTML },
  { what: "JSON-LD of levels", body: jsonLd("[".repeat(MIB)), type: HTML },
  { what: "a type of semicolons", body: around("<p>x</p>"), type: `text/html${";".repeat(8000)}` },
  { what: "a type of spaces", body: around("<p>x</p>"), type: `text/html;${" ".repeat(8000)}x` },
];

function jsonLd(json: string): string {
  return around(`<script type="application/ld+json">${json}</script>`);
}

/** Short pieces, repeated many times where text may stand. */
const generated: readonly Page[] = fc
  .sample(
    fc.record({
      tag: fc.constantFrom("h1", "h2", "p", "title", "li", "a", "blockquote", "pre"),
      piece: fc.stringMatching(/^[ :.,;!?*_`#|\-'"()[\]a-zA-Z0-9\u00a0\u2028]{1,4}$/),
      last: fc.constantFrom("", "x", "!", "\n"),
    }),
    { seed: SEED, numRuns: GENERATED },
  )
  .map(({ tag, piece, last }) => ({
    what: `<${tag}> of ${JSON.stringify(piece)}`,
    body: around(`<${tag}>${piece.repeat(180_000 / piece.length)}${last}</${tag}>`),
    type: HTML,
  }));

const large: readonly Page[] = Array.from({ length: LARGE }, (_, n) => ({
  what: `large page ${n}`,
  body: around("<p>Self-watering planters need <b>little</b> care.</p>".repeat(35_000)),
  type: HTML,
}));

export interface ForeignSite {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Resolves once the page was requested. */
  readonly asked: Promise<void>;
  close(): Promise<void>;
}

/** Serves one page under every path. */
export async function serveForeign({ body, type }: Page): Promise<ForeignSite> {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  const server = createServer((_req, res) => {
    res.writeHead(200, type === undefined ? {} : { "Content-Type": type });
    res.end(body);
    onAsked();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Resolves to the job's id. */
export async function createArticle(target: Target, host: string): Promise<string> {
  const input = {
    publisherDomain: host,
    targetUrl: `http://${host}/target`,
    anchorText: "self-watering planters",
  };
  const created = await postJson(
    target,
    "/trpc/job.create",
    JSON.stringify({ json: { kind: "article", input } }),
  );
  const id = /"id":"([^"]+)"/.exec(created.text)?.[1];
  if (id === undefined) throw new Error(`No job was created: ${created.text}`);
  return id;
}

const SETTLED = /"status":"(DELIVERED|BLOCKED|ABORTED)"/;

/** Resolves to the settled job, or to the unsettled job after the timeout. */
export async function settled(target: Target, jobId: string) {
  const input = encodeURIComponent(JSON.stringify({ json: { jobId } }));
  await ask(target, `/trpc/job.onUpdate?input=${input}`, {
    until: SETTLED,
    patienceMs: READ_MS,
  });
  return ask(target, `/trpc/job.get?input=${input}`);
}

function reading(page: Page): Input {
  return {
    what: page.what,
    gets: { status: [200], says: [SETTLED, /"attempt":1,/] },
    async send(target) {
      const site = await serveForeign(page);
      try {
        return await settled(target, await createArticle(target, site.host));
      } finally {
        await site.close();
      }
    },
  };
}

const attack = (name: string, pages: readonly Page[]): Attack => ({
  name,
  over: "a page",
  atOnce: true,
  inputs: pages.map(reading),
  peakMib: 1500,
});

/** Two pages that used to block a server. */
export const COMMENTS = named[0] as Page;
export const COLONS = named[5] as Page;

export const PAGE_ATTACKS: readonly Attack[] = [
  attack("text that expressions backtrack over", named),
  attack("repeated pieces of text, generated", generated),
  attack(`${LARGE} pages of 2 MiB together`, large),
];
