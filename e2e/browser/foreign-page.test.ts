/** A real browser on a page of another site that embeds or opens addresses of the server. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";

const DATA = "/trpc/system.info";
const SCRIPT = "/socket.io/socket.io.js";

const pathOf = (url: string) => new URL(url).pathname + new URL(url).search;

test("a foreign page reads no data through images, scripts, frames and links, and our own page does", async () => {
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
  page.on("response", (response) => seen.set(pathOf(response.url()), response.status()));
  // Chromium blocks JSON in images and scripts, so `response` does not fire: only the network log has the status.
  const network = await page.context().newCDPSession(page);
  const asked = new Map<string, string>();
  const heads = new Map<string, number>();
  network.on("Network.requestWillBeSent", ({ requestId, request }) =>
    asked.set(requestId, pathOf(request.url)),
  );
  network.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) =>
    heads.set(requestId, statusCode),
  );
  await network.send("Network.enable");

  // The server is addressed as localhost, which is another site than 127.0.0.1.
  await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
  await page.click("a");
  await page.waitForURL(`${server.url}${DATA}?link`);
  for (const [id, path] of asked) seen.set(path, heads.get(id) ?? seen.get(path) ?? 0);
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
  // As when a person types the address.
  expect((await page.goto(`${server.url}${DATA}?typed`))?.status()).toBe(200);
});
