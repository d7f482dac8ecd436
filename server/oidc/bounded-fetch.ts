/** Requests to the provider: one that hangs, or answers without end, costs a bounded time and a bounded number of bytes. */
import { clearTimeout, setTimeout } from "node:timers";
import type { CustomFetch } from "openid-client";

/** From the request to the last byte of the answer. */
export const PROVIDER_TIMEOUT_MS = 5000;
/** After decompression. */
export const MAX_PROVIDER_BYTES = 256 * 1024;

export const boundedFetch: CustomFetch = async (url, { method, headers, body, redirect }) => {
  const ending = new AbortController();
  const timer = setTimeout(() => {
    ending.abort(new Error(`The provider did not answer within ${PROVIDER_TIMEOUT_MS / 1000} s.`));
  }, PROVIDER_TIMEOUT_MS);
  try {
    const { signal } = ending;
    // openid-client sends forms, and nothing with a GET.
    const form = body instanceof URLSearchParams && { body };
    const response = await fetch(url, { method, headers, redirect, signal, ...form });
    const received = await readAll(response.body ?? []);
    return new Response(isWithoutBody(response.status) ? null : received, response);
  } finally {
    clearTimeout(timer);
    // Of an answer that is too long, the rest is not read.
    ending.abort();
  }
};

async function readAll(body: AsyncIterable<Uint8Array> | []): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_PROVIDER_BYTES) {
      throw new Error(`The provider answered with more than ${MAX_PROVIDER_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `Response` permits none with these. */
function isWithoutBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
