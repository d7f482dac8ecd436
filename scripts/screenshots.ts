/** Draws the README's picture of a job's page from a running program: `npm run screenshots`. */
import { mkdirSync } from "node:fs";
import { launchBrowser } from "#e2e/browser/browser.ts";
import { startServer } from "#e2e/server.ts";

const OUT = "docs/images";

const server = await startServer({ env: { OFFLINE_PACE_MS: "60", PORT: "8000" } });
const browser = await launchBrowser();
try {
  mkdirSync(OUT, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1200, height: 780 } });
  await page.goto(`${server.url}/jobs/new`);
  await page.getByRole("button", { name: "Create job" }).click();
  await page.getByRole("complementary").getByText("How water reaches the roots").waitFor();
  await page.screenshot({ path: `${OUT}/job.png` });
} finally {
  await browser.close();
  await server.stop();
}
