import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { createPageReader, type ReadTask } from "./page-reader.ts";

// Threads start slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const read = createPageReader();
const never = new AbortController().signal;

function task(html: string): ReadTask {
  return { address: "http://site.example/", fetched: { url: "http://site.example/", html } };
}

/** Takes minutes to parse. */
const DEEP = "<div>".repeat(400_000);

test("a page is read, and what is wrong with it arrives as what it is", async () => {
  const page = await read(task("<title>Garden</title><p>Lettuce grows.</p>"), never, 60_000);
  expect(page.profile).toMatchObject({ title: "Garden", words: 2 });
  await expect(read(task(""), never, 60_000)).rejects.toMatchObject({
    name: "PageError",
    code: "PAGE_EMPTY",
  });
});

test("a page that takes too long is given up, while everything else goes on", async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  await expect(read(task(DEEP), never, 50)).rejects.toMatchObject({
    code: "PAGE_TOO_COMPLEX",
    message: "is too complex to be read: it takes more than 0.05 s",
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(0);
});

test("a page that takes too much memory is given up", async () => {
  const small = createPageReader({ memoryMb: 40 });
  const wide = "<p>Lettuce grows in the shade.</p>".repeat(60_000);
  await expect(small(task(wide), never, 60_000)).rejects.toMatchObject({
    code: "PAGE_TOO_COMPLEX",
    message: "is too complex to be read: it takes too much memory",
  });
});

test("an abort ends the reading with its own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  const reading = read(task(DEEP), controller.signal, 60_000);
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await expect(read(task(""), controller.signal, 60_000)).rejects.toBe(reason);
});

test("pages are read side by side, and a thread that was free is used again", async () => {
  const pages = await Promise.all(
    ["One", "Two", "Three", "Four"].map((title) =>
      read(task(`<title>${title}</title><p>Lettuce grows.</p>`), never, 60_000),
    ),
  );
  expect(pages.map(({ profile }) => profile.title)).toEqual(["One", "Two", "Three", "Four"]);
  const page = await read(task("<title>Five</title><p>Lettuce grows.</p>"), never, 60_000);
  expect(page.profile.title).toBe("Five");
});

test("a thread is kept for a while, then ends, and the next page gets a new one", async () => {
  const page = task("<title>One</title><p>Lettuce grows.</p>");
  const before = threads();
  await createPageReader()(page, never, 60_000);
  expect(threads()).toBe(before + 1);

  const brief = createPageReader({ idleMs: 0 });
  await brief(page, never, 60_000);
  await vi.waitFor(() => expect(threads()).toBe(before + 1));
  expect((await brief(page, never, 60_000)).profile.title).toBe("One");
});

test("a thread that is kept does not keep the process alive", async () => {
  const program = `
    import { createPageReader } from "#server/kinds/article/page/page-reader.ts";
    const read = createPageReader({ idleMs: 3_600_000 });
    const fetched = { url: "http://site.example/", html: "<p>Lettuce grows.</p>" };
    const page = await read({ address: fetched.url, fetched }, new AbortController().signal, 60_000);
    console.log(page.profile.words);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    program,
  ]);
  expect(stdout).toBe("2\n");
});

function threads(): number {
  const report = process.report.getReport() as { workers: unknown[] };
  return report.workers.length;
}
