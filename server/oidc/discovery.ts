/**
 * What the provider says of itself: its addresses and abilities. It is read when the first person signs in, so that a
 * provider that is down does not keep the server from starting; then again every hour, and after each failure.
 */
import { allowInsecureRequests, customFetch, discovery, type ServerMetadata } from "openid-client";
import type { OidcSettings } from "#server/auth/oidc-variables.ts";
import { boundedFetch } from "./bounded-fetch.ts";

const FRESH_MS = 60 * 60_000;
/** After a failure, callers get the same one for so long. */
const PAUSE_MS = 1000;

/** Rejects with the error of openid-client. */
export type Discover = () => Promise<ServerMetadata>;

/** `clock` returns milliseconds. */
export function createDiscovery(
  settings: Pick<OidcSettings, "issuer" | "clientId">,
  clock: () => number = () => performance.now(),
): Discover {
  const issuer = new URL(settings.issuer);
  let known: { metadata: Promise<ServerMetadata>; until: number } | undefined;

  async function read(): Promise<ServerMetadata> {
    const configuration = await discovery(issuer, settings.clientId, undefined, undefined, {
      [customFetch]: boundedFetch,
      execute: issuer.protocol === "http:" ? [allowInsecureRequests] : [],
    });
    return configuration.serverMetadata();
  }

  return () => {
    if (known !== undefined && clock() < known.until) return known.metadata;
    const reading = { metadata: read(), until: Infinity };
    known = reading;
    reading.metadata.then(
      () => (reading.until = clock() + FRESH_MS),
      () => (reading.until = clock() + PAUSE_MS),
    );
    return reading.metadata;
  };
}
