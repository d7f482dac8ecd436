import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { precompress } from "./precompress.ts";

test("large scripts and styles get compressed copies that decode to them; small files, maps and fonts get none", async () => {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-precompress-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const text = "export const one = 1;\n".repeat(200);
  for (const name of ["app.js", "app.css", "app.js.map", "font.woff2"]) {
    await writeFile(join(dir, name), text);
  }
  await writeFile(join(dir, "small.js"), "export {};");
  await precompress(dir);
  expect((await readdir(dir)).filter((name) => /\.(?:br|gz)$/.test(name)).toSorted()).toEqual([
    "app.css.br",
    "app.css.gz",
    "app.js.br",
    "app.js.gz",
  ]);
  expect(brotliDecompressSync(await readFile(join(dir, "app.js.br"))).toString()).toBe(text);
  expect(gunzipSync(await readFile(join(dir, "app.css.gz"))).toString()).toBe(text);
});
