/** Serves the project's own sample pages for tests, as the server does. */
import { readFile } from "node:fs/promises";
import type { Brief } from "#server/kinds/article/brief.ts";
import type { Page } from "#server/kinds/article/page/page.ts";
import { readPage } from "#server/kinds/article/page/read-page.ts";
import { fetchedHtml } from "./inline-tasks.ts";
import { openLocalServer, type LocalServer } from "./local-server.fixture.ts";

const SAMPLES = new URL("../../server/kinds/article/samples/", import.meta.url);

/** Pairs of pages for which an article passes. */
export const SAMPLE_PAIRS = [
  { publisher: "publisher/", target: "target/", anchorText: "self-watering planters" },
  { publisher: "household/", target: "savings/", anchorText: "emergency fund" },
  { publisher: "sv/publisher/", target: "sv/target/", anchorText: "cykelbelysning för vintern" },
] as const;

export function sampleHtml(path: string): Promise<string> {
  return readFile(new URL(`${path}index.html`, SAMPLES), "utf8");
}

export function openSamples(): Promise<LocalServer> {
  return openLocalServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/samples\//, "");
    sampleHtml(path).then(
      (html) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html),
      () => response.writeHead(404).end(),
    );
  });
}

export async function samplePage(path: string, origin: string): Promise<Page> {
  const url = `${origin}/samples/${path}`;
  return readPage({ address: url, fetched: fetchedHtml(url, await sampleHtml(path)) });
}

export async function sampleBrief(
  pair: { publisher: string; target: string; anchorText: string },
  origin = "http://samples.example",
): Promise<Brief> {
  const publisher = await samplePage(pair.publisher, origin);
  const target = await samplePage(pair.target, origin);
  return {
    publisher,
    target,
    targetUrl: target.profile.url,
    anchorText: pair.anchorText,
    country: undefined,
    language: publisher.profile.language,
  };
}
