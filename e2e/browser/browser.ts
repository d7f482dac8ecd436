/**
 * Finds a Chromium for tests: the system's, else the one of an npm package, else Debian's, which is installed if that is
 * permitted. The error for a missing browser names the command that installs it.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import packaged from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

const SYSTEM = [
  process.env.CHROMIUM_PATH ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const DEBIAN = "/usr/bin/chromium";
/** Disables background traffic, which needs a network. */
const ARGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"];

export async function launchBrowser(): Promise<Browser> {
  const system = SYSTEM.filter((path) => path !== "" && existsSync(path));
  for (const path of system) {
    const browser = await tryLaunch(path);
    if (browser !== undefined) return browser;
  }
  const fromPackage = await packaged
    .executablePath()
    .then(tryLaunch)
    .catch(() => undefined);
  if (fromPackage !== undefined) return fromPackage;
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    installDebians();
    const installed = await tryLaunch(DEBIAN);
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "The browser tests need a Chromium, and none was found that starts. Install it (sudo apt-get install chromium), " +
      "or name one with CHROMIUM_PATH.",
  );
}

async function tryLaunch(executablePath: string): Promise<Browser | undefined> {
  try {
    return patient(await chromium.launch({ executablePath, args: ARGS }));
  } catch {
    return undefined;
  }
}

/** Safety net for what never appears on a page; generous for slow machines. */
const TIMEOUT_MS = 120_000;

function patient(browser: Browser): Browser {
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(TIMEOUT_MS);
    return context;
  };
  return browser;
}

function installDebians(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    execFileSync("apt-get", args, { env, stdio: "pipe" });
  }
}
