/** Draws the README's pictures of a job's page, light and dark, from a running program: `npm run screenshots`. */
import { mkdirSync } from "node:fs";
import { launchBrowser } from "#e2e/browser/browser.ts";
import { startServer } from "#e2e/server.ts";

const OUT = "docs/images";

const server = await startServer({ env: { OFFLINE_PACE_MS: "60", PORT: "8000" } });
const browser = await launchBrowser();
try {
  mkdirSync(OUT, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 660 }, colorScheme });
    await page.goto(`${server.url}/jobs/new`);
    await page.getByRole("button", { name: "Create job" }).click();
    await page.getByRole("complementary").getByText("How water reaches the roots").waitFor();
    await page.screenshot({ path: `${OUT}/job-${colorScheme}.png` });
    await page.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
