/**
 * Compresses whole bodies, a few at a time: the state of a compressor is larger than most bodies, and many answers may be due
 * at once. zlib works in Node's thread pool, so the event loop goes on.
 */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Coding } from "./accept-encoding.ts";
import { createTurns } from "./turns.ts";

/** Half of the threads of Node's pool, which also reads files and resolves names. */
const MAX_COMPRESSING = 2;
/** Measured on lists of jobs: higher ones take several times as long and save a few percent. */
const GZIP = { level: 5 };
const BROTLI = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
};

const compressors: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  gzip: (body) => promisify<Buffer, object, Buffer>(gzip)(body, GZIP),
  br: (body) => promisify<Buffer, object, Buffer>(brotliCompress)(body, BROTLI),
};

/** Resolves to the compressed body; `undefined` if it is not wanted any more when its turn comes. */
export type CompressBody = (
  body: Buffer,
  coding: Coding,
  isWanted: () => boolean,
) => Promise<Buffer | undefined>;

export function createBodyCompressor(): CompressBody {
  const takeTurn = createTurns(MAX_COMPRESSING);
  return (body, coding, isWanted) =>
    takeTurn(async () => (isWanted() ? compressors[coding](body) : undefined));
}
