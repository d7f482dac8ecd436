/** Creates articles about Jobwire's own sample pages as any client would, and locates their elements on the page. */
import type { Debounced } from "#shared/create-options.ts";
import type { Locator, Page } from "playwright-core";

/** Sample pages under `/samples/`. */
export interface Sample {
  publisher?: string;
  target?: string;
  anchorText?: string;
}

/** `url`: the server's. By default an input that ends `DELIVERED`. */
export function articleAbout(url: string, sample: Sample = {}) {
  const { publisher = "publisher", target = "target" } = sample;
  const { anchorText = "self-watering planters" } = sample;
  return {
    publisherDomain: `${new URL(url).host}/samples/${publisher}/`,
    targetUrl: `${url}/samples/${target}/`,
    anchorText,
  };
}

/** Resolves to the job's id. */
export function createArticle(page: Page, url: string, input: object): Promise<string> {
  return createJob(page, url, "article", input);
}

/** Resolves to the job's id. */
export function createJob(page: Page, url: string, kind: string, input: object): Promise<string> {
  return create(page, `${url}/trpc/job.create`, { kind, input });
}

/** Resolves to the id of the job that takes the call. */
export function createDebounced(
  page: Page,
  url: string,
  job: { kind: string; input: object } & Debounced,
): Promise<string> {
  return create(page, `${url}/trpc/job.create`, job);
}

/** Resolves to the batch's id. */
export function createArticles(
  page: Page,
  url: string,
  name: string,
  inputs: readonly object[],
): Promise<string> {
  const jobs = inputs.map((input) => ({ kind: "article", input }));
  return create(page, `${url}/trpc/batch.create`, { name, jobs });
}

async function create(page: Page, url: string, json: object): Promise<string> {
  const response = await page.request.post(url, { data: { json } });
  const { result } = (await response.json()) as { result: { data: { json: { id: string } } } };
  return result.data.json.id;
}

/** Waits until the badge beside the page's heading shows the status. */
export function headingBadge(page: Page, status: string): Locator {
  return page.locator("h1").locator("xpath=..").locator(`[data-status=${status}]`);
}
