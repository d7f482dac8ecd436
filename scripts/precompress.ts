/** Compresses the page's hashed files once, when the page is built: `x.js.br` and `x.js.gz` beside `x.js`. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Maps are for developers, and fonts are compressed in themselves. */
const COMPRESSIBLE = /\.(?:js|css|svg|json)$/;
/** As the server's for answers. */
const MIN_BYTES = 1024;

const CODINGS: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify<Buffer, object, Buffer>(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes) => promisify<Buffer, object, Buffer>(gzip)(bytes, { level: 9 }),
};

/** Writes no file that is larger than the one it stands for. */
export async function precompress(dir: string): Promise<void> {
  const names = (await readdir(dir)).filter((name) => COMPRESSIBLE.test(name));
  await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(dir, name));
      if (bytes.length < MIN_BYTES) return;
      for (const [extension, compress] of Object.entries(CODINGS)) {
        const compressed = await compress(bytes);
        if (compressed.length >= bytes.length) continue;
        await writeFile(join(dir, `${name}.${extension}`), compressed);
      }
    }),
  );
}

/** A plugin of Vite. */
export function precompressAssets() {
  return {
    name: "precompress-assets",
    apply: "build" as const,
    async writeBundle({ dir }: { dir?: string }) {
      if (dir !== undefined) await precompress(join(dir, "assets"));
    },
  };
}
