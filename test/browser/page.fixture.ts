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

/** Changes the theme of the system. Resolves once the page has it, with no colour on its way from the other one. */
export async function changeTheme(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  // The browser does not style what it skips because it is out of view, so its colours would stay those of the other theme.
  await page.evaluate(() => {
    for (const each of document.querySelectorAll("li")) each.style.contentVisibility = "visible";
  });
  await page.emulateMedia({ colorScheme });
  // Only the page that is built has the attribute; what the server writes follows the system by its style sheet alone.
  await page.waitForFunction(
    (theme) => (document.documentElement.dataset.theme ?? theme) === theme,
    colorScheme,
    { polling: 20 },
  );
  // By themselves they end with the frames of the browser, which a busy machine may not draw.
  await page.evaluate(() => {
    for (const each of document.getAnimations()) if (each instanceof CSSTransition) each.finish();
  });
}

/** Rules of axe that look at colours. All others see the same document in either theme. */
const RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"];

/**
 * Resolves to what is wrong with the page as it is now: a width that does not fit, and serious findings of axe. `rules`: of
 * axe; absent: all.
 */
export async function faultsOf(page: Page, rules?: readonly string[]): Promise<unknown[]> {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(AXE);
  return page.evaluate(async (runOnly) => {
    interface Axe {
      run(options: object): Promise<{
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      }>;
    }
    const { axe } = globalThis as unknown as { axe: Axe };
    // Colours that are still changing have too little contrast. Spinners have no end.
    const changing = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(changing.map(({ finished }) => finished));
    // The results beside the violations would take longer to collect than to find.
    const options = { resultTypes: ["violations"], ...(runOnly && { runOnly }) };
    const { violations } = await axe.run(options);
    const width = document.scrollingElement?.scrollWidth;
    return [
      ...(width === innerWidth ? [] : [`It is ${width} pixels wide.`]),
      ...violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
    ];
  }, rules);
}

export const PHONE = { width: 375, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

/**
 * Resolves to what is wrong in one of the ways in which people see the page: in both themes, at each size. It ends in the
 * light theme at the last size. `onLook` is called in each of them.
 */
export async function faultsInAllLooks(
  page: Page,
  sizes: readonly { width: number; height: number }[] = [PHONE, DESKTOP],
  onLook?: (look: { width: number; theme: string }) => Promise<unknown>,
): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const theme of ["dark", "light"] as const) {
      await changeTheme(page, theme);
      const found = await faultsOf(page, theme === "dark" ? RULES_OF_COLOURS : undefined);
      faults.push(...found.map((fault) => `${size.width} pixels, ${theme}: ${String(fault)}`));
      await onLook?.({ width: size.width, theme });
    }
  }
  return faults;
}
