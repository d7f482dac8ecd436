/** The README's first section, as a newcomer would follow it: one file, one command, a job watched in the browser. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer } from "vite";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { launchBrowser } from "#e2e/browser/browser.ts";
import { headingBadge } from "#e2e/browser/samples.ts";
import { type Program, startProgram } from "#e2e/packages/program.ts";
import { openTestPage } from "#test/browser/page.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { type DocumentedApp, openDocumentedApp, snippetsOf } from "./documented-app.ts";

const COMMAND = "node_modules/jobwire/bin/jobwire.js";
/** In the order of the page. */
const [JOBS, CLIENT, REACT, SERVER] = (await snippetsOf("README.md")).map(({ code }) => code);
const run = promisify(execFile);

let app: DocumentedApp;
let program: Program;
beforeAll(async () => {
  app = await openDocumentedApp();
  await writeFile(join(app.dir, "jobs.ts"), JOBS ?? "");
  program = await startProgram(app.dir, [COMMAND, "start", "jobs.ts"], { ...app.env, PORT: "0" });
}, 300_000);
afterAll(async () => {
  await program?.stop();
  await app?.remove();
});

const at = (code = "", url = program.url) => code.replaceAll("http://localhost:8000", url);

test("a job of one's own is created in the browser, and watched to its end", async () => {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const { page, close } = await openTestPage(browser);
  onTestFinished(close);
  await page.goto(program.url);
  await page.getByRole("link", { name: "New job" }).first().click();
  await page.getByLabel("url").fill("https://example.com/cat.jpg");
  await page.getByLabel("widths 1").fill("320");
  await page.getByRole("button", { name: "Add to widths" }).click();
  await page.getByLabel("widths 2").fill("640");
  await page.getByRole("button", { name: "Create job" }).click();
  await page.getByText("Made 320 px").first().waitFor();
  await headingBadge(page, "DELIVERED").waitFor();
  expect(await page.getByRole("region", { name: "Output" }).textContent()).toContain(
    "example.com-640.webp",
  );
});

test("the client's program prints each event and the files", async () => {
  await writeFile(join(app.dir, "client.ts"), at(CLIENT));
  const { stdout } = await run(process.execPath, ["client.ts"], { cwd: app.dir });
  const lines = stdout.trim().split("\n");
  expect(lines).toContain("50 Made 320 px 1");
  expect(lines.at(-1)).toBe("[ 'example.com-320.webp', 'example.com-640.webp' ]");
});

test("the component renders", async () => {
  const folder = join(app.dir, "web");
  await mkdir(folder);
  await writeFile(join(folder, "root.tsx"), at(REACT));
  await writeFile(
    join(folder, "render.tsx"),
    `import { renderToString } from "react-dom/server";
     import { Root } from "./root.tsx";
     export const html = renderToString(<Root />);`,
  );
  const vite = await createServer({
    root: folder,
    configFile: false,
    logLevel: "silent",
    server: { middlewareMode: true, ws: false },
    oxc: { jsx: { runtime: "automatic" } },
  });
  onTestFinished(() => vite.close());
  const { html } = (await vite.ssrLoadModule("/render.tsx")) as { html: string };
  expect(html.replaceAll("<!-- -->", "")).toBe("<p>0 of ?: </p>");
});

test("an own server serves its routes and Jobwire, and stops at SIGTERM", async () => {
  const port = await freePort();
  const code = SERVER?.replace("3000", String(port)).replace(
    "process.once",
    `server.once("listening", () => console.log("http://127.0.0.1:${port}"));\nprocess.once`,
  );
  await writeFile(join(app.dir, "server.ts"), code ?? "");
  const server = await startProgram(app.dir, ["server.ts"], app.env);
  // Its line comes before it listens.
  await vi.waitFor(() => fetch(server.url));
  const res = await fetch(`${server.url}/pictures/cat.jpg`, { method: "POST" });
  expect(res.status).toBe(202);
  const { jobId } = (await res.json()) as { jobId: string };
  expect(jobId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await (await fetch(`${server.url}/jobwire/healthz`)).json()).toEqual({ status: "ok" });
  expect(await (await fetch(`${server.url}/jobwire/`)).text()).toContain('<base href="/jobwire/"');
  expect(await server.stop()).toBe(0);
});
