/**
 * A sign-in between the two visits to this server: the first sends the person to the provider, the second brings them back,
 * maybe to another gateway. The browser keeps it, sealed with a key that all gateways derive from the client's secret.
 */
import { hkdfSync } from "node:crypto";
import { EncryptJWT, jwtDecrypt } from "jose";
import { z } from "zod";
import type { OidcSettings } from "#server/auth/oidc-variables.ts";
import { MAX_PENDING_MS } from "./routes.ts";

const KEY_BYTES = 32;
const HEADER = { alg: "dir", enc: "A256GCM" };

const Pending = z.object({
  state: z.string(),
  nonce: z.string(),
  /** Of PKCE. */
  verifier: z.string(),
  /** A path of the page; `null`: the window closes itself. */
  returnTo: z.string().nullable(),
});
export type Pending = z.infer<typeof Pending>;

export interface PendingSeal {
  seal(pending: Pending): Promise<string>;
  /** Resolves to `undefined` for what this server did not seal, or no longer accepts. */
  open(sealed: string): Promise<Pending | undefined>;
}

export function createPendingSeal(
  { issuer, clientId, clientSecret }: Pick<OidcSettings, "issuer" | "clientId" | "clientSecret">,
  now: () => Date,
): PendingSeal {
  const info = JSON.stringify(["jobwire: pending sign-ins", issuer, clientId]);
  const key = new Uint8Array(hkdfSync("sha256", clientSecret, "", info, KEY_BYTES));
  return {
    seal: (pending) =>
      new EncryptJWT(pending)
        .setProtectedHeader(HEADER)
        .setExpirationTime(new Date(now().getTime() + MAX_PENDING_MS))
        .encrypt(key),
    async open(sealed) {
      try {
        const { payload } = await jwtDecrypt(sealed, key, {
          currentDate: now(),
          requiredClaims: ["exp"],
          keyManagementAlgorithms: [HEADER.alg],
          contentEncryptionAlgorithms: [HEADER.enc],
        });
        return Pending.parse(payload);
      } catch {
        return undefined;
      }
    },
  };
}
