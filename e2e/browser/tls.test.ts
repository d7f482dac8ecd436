/** The page and legacy clients in a real browser, with a server that speaks TLS itself. */
import { rename, writeFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { createPair, type TestPair, tlsEnv, writePair } from "#test/tls/certificate.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticle, headingBadge } from "./samples.ts";

const WAIT = { timeout: 120_000 };

interface SocketioClient {
  on(name: string, listener: (update: { status?: string }) => void): void;
  emit(name: string, request: object): void;
}

let pair: TestPair;
let files: Awaited<ReturnType<typeof writePair>>;
let server: RunningServer;
let browser: Browser;
let page: Page;
/** The addresses of the WebSockets that the page opened. */
let sockets: string[];

beforeEach(async () => {
  pair = await createPair();
  files = await writePair(pair);
  // The server fetches its own sample pages.
  const env = { ...tlsEnv(files), NODE_EXTRA_CA_CERTS: files.cert, OFFLINE_PACE_MS: "40" };
  server = await startServer({ env });
  browser = await launchBrowser();
  page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  sockets = [];
  page.on("websocket", (socket) => void sockets.push(socket.url()));
});
afterEach(async () => {
  await browser.close();
  await server.stop();
});

test("[T1] the page shows a job live over wss, made from sample pages over https", async () => {
  await page.goto(`${server.url}/jobs/new`);
  await page.getByRole("button", { name: "Create job" }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await headingBadge(page, "DELIVERED").waitFor();
  const address = `${server.url.replace("https", "wss")}/trpc?clientVersion=`;
  expect(sockets.filter((url) => url.startsWith(address))).not.toEqual([]);
});

test("[T2] an open page goes on while the certificate is replaced", async () => {
  await page.goto(`${server.url}/`);
  await vi.waitFor(() => expect(sockets).toHaveLength(1), WAIT);
  const next = await createPair();
  for (const name of ["cert", "key"] as const) {
    await writeFile(`${files[name]}.new`, next[name]);
    await rename(`${files[name]}.new`, files[name]);
  }
  await vi.waitFor(() => expect(server.output()).toContain("use the new certificate"), WAIT);
  const id = await createArticle(page, server.url, articleAbout(server.url));
  await page.locator(`a[href="/jobs/${id}"]`).first().waitFor();
  expect(sockets).toHaveLength(1);
});

test("[T1] Socket.IO and EventSource of a browser work over TLS", async () => {
  await page.goto(`${server.url}/samples/`);
  const jobId = await createArticle(page, server.url, articleAbout(server.url));
  await page.addScriptTag({ url: `${server.url}/socket.io/socket.io.js` });
  const input = encodeURIComponent(JSON.stringify({ json: { jobId } }));
  const shown = await page.evaluate(
    async ([id, path]) => {
      const { io } = window as unknown as { io: (options: object) => SocketioClient };
      const ends = ["websocket", "polling"].map(
        (transport) =>
          new Promise<string>((resolve) => {
            const socket = io({ transports: [transport] });
            socket.on("job:update", ({ status }) => {
              if (status === "DELIVERED") resolve(`${transport} ${status}`);
            });
            socket.emit("subscribe:job", { job_id: id });
          }),
      );
      const source = new EventSource(path);
      const event = new Promise<string>((resolve) =>
        source.addEventListener("message", ({ data }: { data: string }) => {
          if (data.includes("DELIVERED")) resolve("EventSource DELIVERED");
        }),
      );
      return Promise.all([...ends, event]);
    },
    [jobId, `/trpc/job.onUpdate?input=${input}`] as const,
  );
  expect(shown).toEqual(["websocket DELIVERED", "polling DELIVERED", "EventSource DELIVERED"]);
});
