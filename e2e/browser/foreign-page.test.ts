/** A real browser with a page of another site that embeds or opens addresses of the server. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";

const DATA = "/trpc/system.info";
const SCRIPT = "/socket.io/socket.io.js";

test("a foreign page gets no data by images, scripts, frames and links, and our own page does", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const foreign = createServer((_req, res) => {
    res.setHeader("Content-Type", "text/html").end(
      `<img src="${server.url}${DATA}?img"><script src="${server.url}${DATA}?script"></script>
       <iframe src="${server.url}${DATA}?frame"></iframe><script src="${server.url}${SCRIPT}"></script>
       <a href="${server.url}${DATA}?link">data</a>`,
    );
  });
  await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void foreign.close());
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const seen = new Map<string, number>();
  page.on("response", (response) => {
    const { pathname, search } = new URL(response.url());
    seen.set(pathname + search, response.status());
  });

  // The server is asked for as localhost, which is another site than this one.
  await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
  await page.click("a");
  await page.waitForURL(`${server.url}${DATA}?link`);
  expect(Object.fromEntries(seen)).toMatchObject({
    [`${DATA}?img`]: 403,
    [`${DATA}?script`]: 403,
    [`${DATA}?frame`]: 403,
    [`${DATA}?link`]: 403,
    [SCRIPT]: 200,
  });

  await page.goto(`${server.url}/samples/`);
  const status = (path: string) =>
    page.evaluate(async (address) => (await fetch(address)).status, path);
  expect(await status(DATA)).toBe(200);
  // As a person does who types it.
  expect((await page.goto(`${server.url}${DATA}?typed`))?.status()).toBe(200);
});
