/** A browser's native `EventSource`, without tRPC's client. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";

const NO_JOB = "01a20665-8cab-704e-9437-209e0533c3ad";
const addressOf = (jobId: string) =>
  `/trpc/job.onUpdate?input=${encodeURIComponent(JSON.stringify({ json: { jobId } }))}`;

test("[S10] EventSource does not reopen the stream of a settled or missing job", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  // A stream that the browser does reopen after its few seconds, which shows when the others would have been.
  let opened = 0;
  const endless = createServer((_req, res) => {
    opened += 1;
    const headers = { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*" };
    res.writeHead(200, headers).end("data: \n\n");
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void endless.close());
  const client = createJobwireClient({ url: server.url });
  onTestFinished(() => client.close());
  const input = {
    publisherDomain: "example.com",
    targetUrl: "https://example.com/",
    anchorText: "Bread",
  };
  const { id: jobId } = await client.trpc.job.create.mutate({ kind: "article", input });
  // The job may have failed by then; it is settled in both cases.
  await client.trpc.job.cancel.mutate({ jobId }).catch(() => undefined);

  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ bypassCSP: true });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${server.url}/samples/`);
  const addresses = [jobId, NO_JOB].map((id) => `${server.url}${addressOf(id)}`);
  const { port } = endless.address() as AddressInfo;
  await page.evaluate((urls) => urls.map((url) => new EventSource(url).url), addresses);
  await page.evaluate((url) => new EventSource(url).url, `http://127.0.0.1:${port}/`);
  await vi.waitFor(() => expect(opened).toBeGreaterThan(2), { timeout: 120_000 });
  for (const address of addresses) expect(asked.filter((url) => url === address)).toHaveLength(1);
});
