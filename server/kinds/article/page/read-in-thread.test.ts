import { expect, test } from "vitest";
import { readInThread, type ReadTask } from "./read-in-thread.ts";

const never = new AbortController().signal;

function task(html: string): ReadTask {
  return { address: "http://site.example/", fetched: { url: "http://site.example/", html } };
}

/** Takes minutes to parse. */
const DEEP = "<div>".repeat(400_000);

test("a page is read, and what is wrong with it arrives as what it is", async () => {
  const page = await readInThread(
    task("<title>Garden</title><p>Lettuce grows.</p>"),
    never,
    60_000,
  );
  expect(page.profile).toMatchObject({ title: "Garden", words: 2 });
  await expect(readInThread(task(""), never, 60_000)).rejects.toMatchObject({
    name: "PageError",
    code: "PAGE_EMPTY",
  });
});

test("a page that takes too long is given up, while everything else goes on", async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  await expect(readInThread(task(DEEP), never, 50)).rejects.toMatchObject({
    code: "PAGE_TOO_COMPLEX",
    message: "is too complex to be read: it takes more than 0.05 s",
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(0);
});

test("an abort ends the reading with its own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  const reading = readInThread(task(DEEP), controller.signal, 60_000);
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await expect(readInThread(task(""), controller.signal, 60_000)).rejects.toBe(reason);
});
