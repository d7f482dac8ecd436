/** The packages that the article kind needs and Jobwire does not. They are loaded by the first job. */
export const PEERS = [
  "@ai-sdk/anthropic",
  "@ai-sdk/google",
  "@ai-sdk/openai",
  "@ai-sdk/openai-compatible",
  "@mozilla/readability",
  "ai",
  "htmlparser2",
  "ipaddr.js",
  "linkedom",
  "marked",
  "sanitize-html",
  "tinyld",
  "undici",
] as const;

/** Throws Node's ERR_MODULE_NOT_FOUND, which names the package, where one is missing: the first job would be too late. */
export function assertPeers(): void {
  for (const name of PEERS) import.meta.resolve(name);
}
