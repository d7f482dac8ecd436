/** For tests in a real browser: a page whose uncaught errors count, and what is wrong with how it looks. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface TestPage {
  page: Page;
  /** Closes its windows. Rejects if one of them threw an error. */
  close(): Promise<void>;
}

/** Opens a window of a browser that has no cookies. */
export async function openTestPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<TestPage> {
  const errors: string[] = [];
  const context = await browser.newContext(options);
  context.on("weberror", (error) => errors.push(error.error().message));
  const page = await context.newPage();
  return {
    page,
    async close() {
      // A request on its way through a test's route would end in an error that belongs to no test.
      for (const each of context.pages()) await each.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
      if (errors.length > 0) throw new Error(`The page threw errors: ${errors.join("; ")}`);
    },
  };
}

/** Changes the theme of the system. Resolves once no colour is on its way to the new one, with less contrast. */
export async function changeTheme(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.waitForFunction(() =>
    document.getAnimations().every((each) => !(each instanceof CSSTransition)),
  );
}

/** Resolves to what is wrong with the page as it is now: a width that does not fit, and serious findings of axe. */
export async function faultsOf(page: Page): Promise<unknown[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Axe {
      run(): Promise<{ violations: { id: string; impact: string }[] }>;
    }
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    const width = document.scrollingElement?.scrollWidth;
    return [
      ...(width === innerWidth ? [] : [`It is ${width} pixels wide.`]),
      ...violations.filter(({ impact }) => impact === "serious" || impact === "critical"),
    ];
  });
}
