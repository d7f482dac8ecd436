/** Sample pages, from which articles are written without a network. */
import { fileURLToPath } from "node:url";
import type { StaticSite } from "#server/kinds/define.ts";

export const SAMPLES: StaticSite = {
  path: "/samples/",
  dir: fileURLToPath(new URL("samples", import.meta.url)),
  notFound: "There is no such sample page.",
};

/** The sample pages of this server, by every name that its own machine has for it, as entries of FETCH_ALLOW. */
export function samplesOf(serverUrl: string): string[] {
  const { hostname, protocol, port } = new URL(serverUrl);
  // `URL` drops the default port of the scheme.
  const known = port || (protocol === "https:" ? "443" : "80");
  return [...new Set(["localhost", "127.0.0.1", hostname])].map(
    (host) => `${host}:${known}${SAMPLES.path}`,
  );
}
