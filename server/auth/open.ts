/** What the server knows of credentials, kept in step with the engine: checks of them, and the watch of those in use. */
import type { Engine } from "#server/engine/contract.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { type ApiKeyVerifier, createApiKeyVerifier } from "./api-key-verifier.ts";
import {
  type CredentialReaders,
  type CredentialWatch,
  openCredentialWatch,
} from "./credential-watch.ts";
import { createRevocationCheck, type RevocationCheck } from "./revocation-check.ts";

export interface Auth {
  readonly keys: Pick<ApiKeyVerifier, "verify" | "isValid">;
  readonly revocations: Pick<RevocationCheck, "refusal">;
  readonly onCredentialEnd: CredentialWatch["onEnd"];
  close(): void;
}

interface AuthOptions {
  now: () => Date;
  /** Receives errors that no caller waits for. */
  tell: (error: unknown, what: string) => void;
  /** Between two looks at all credentials in use. */
  lookEveryMs?: number;
}

export function openAuth(
  engine: Pick<Engine, "apiKeys" | "revocations" | "hasSignIns" | "onCredentialEnd">,
  { now, tell, lookEveryMs }: AuthOptions,
): Auth {
  const keys = createApiKeyVerifier({ store: engine.apiKeys, now, tell });
  const revocations = createRevocationCheck({ store: engine.revocations });
  const readers: CredentialReaders = {
    areRevoked: revocations.areRevoked,
    isKeyValid: keys.isValid,
    haveSignIns: (ids) => engine.hasSignIns(ids, now()),
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
    onCredentialEnd: watch.onEnd,
    close() {
      isOpen = false;
      stopHints?.();
      watch.close();
    },
  };
}
