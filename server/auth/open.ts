/** The checks of credentials and the watch of those in use, kept in step with the engine. */
import type { CredentialStores, Engine } from "#server/engine/contract.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { createAudit } from "./audit.ts";
import { type ApiKeyVerifier, createApiKeyVerifier } from "./api-key-verifier.ts";
import { createCredentialCheck, type CredentialCheck } from "./credential-check.ts";
import {
  type CredentialReaders,
  type CredentialWatch,
  openCredentialWatch,
} from "./credential-watch.ts";
import { createRevocationCheck, type RevocationCheck } from "./revocation-check.ts";
import { createShares, type Shares } from "./shares.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createStreamTokenVerifier, type VerifyStreamToken } from "./stream-tokens.ts";
import { createTickets, type Tickets } from "./tickets.ts";
import { createTokenSigner } from "./token-signer.ts";
import type { AuthSettings } from "./variables.ts";

export interface Auth {
  readonly keys: Pick<ApiKeyVerifier, "verify" | "isValid">;
  readonly revocations: Pick<RevocationCheck, "refusal">;
  readonly check: CredentialCheck;
  readonly verifyStreamToken: VerifyStreamToken;
  readonly shares: Shares;
  readonly tickets: Tickets;
  readonly onCredentialEnd: CredentialWatch["onEnd"];
  close(): void;
}

interface AuthOptions {
  settings: AuthSettings;
  now: () => Date;
  /** Receives errors that no caller waits for. */
  tell: (error: unknown, what: string) => void;
  /** Between two looks at all credentials in use. */
  lookEveryMs?: number;
}

type AuthEngine = CredentialStores &
  Pick<Engine, "audit" | "getSummary" | "getBatch" | "onCredentialEnd">;

export function openAuth(
  engine: AuthEngine,
  { settings, now, tell, lookEveryMs }: AuthOptions,
): Auth {
  const keys = createApiKeyVerifier({ store: engine.apiKeys, now, tell });
  const revocations = createRevocationCheck({ store: engine.revocations });
  const check = createCredentialCheck(settings, {
    keys,
    revocations,
    hasSignIn: async (id) => (await engine.hasSignIns([id], now()))[0] === true,
  });
  const { shareLinks: links, tickets: store } = engine;
  const signer = createTokenSigner(createSigningKeys({ store: engine.signingKeys, now }), now);
  const readers: CredentialReaders = {
    areRevoked: revocations.areRevoked,
    isKeyValid: keys.isValid,
    haveSignIns: (ids) => engine.hasSignIns(ids, now()),
    areLinksOn: async (refs) => (await links.find(refs, now())).map((link) => link !== undefined),
    holdTickets: async (tickets) =>
      (await store.holders(tickets)).map((holder, at) => holder === tickets[at]?.holder),
  };
  const watch = openCredentialWatch(readers, lookEveryMs);
  const onHint = (hint: CredentialHint): void => {
    keys.forget(hint);
    revocations.forget(hint);
    watch.hint(hint);
  };
  let isOpen = true;
  let stopHints: (() => void) | undefined;
  // The start does not wait for it: what is missed until then, the next look finds.
  engine.onCredentialEnd(onHint).then(
    (stop) => (isOpen ? (stopHints = stop) : stop()),
    (error: unknown) => {
      if (isOpen) tell(error, "There are no hints of credentials that end");
    },
  );
  return {
    keys,
    revocations,
    check,
    verifyStreamToken: createStreamTokenVerifier({ signer, links, check, now }),
    shares: createShares({
      engine,
      signer,
      revocations,
      audit: createAudit({ store: engine.audit, now, tell }),
      now,
    }),
    tickets: createTickets({ signer, store, check, now }),
    onCredentialEnd: watch.onEnd,
    close() {
      isOpen = false;
      stopHints?.();
      watch.close();
    },
  };
}
