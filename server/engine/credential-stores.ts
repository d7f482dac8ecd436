/** The parts of an engine that keep credentials, and what is made with them. */
import type { ApiKeyStore } from "./api-key-store.ts";
import type { RevocationStore } from "./revocation-store.ts";
import type { ShareLinkStore } from "./share-link-store.ts";
import type { SignInStore } from "./sign-in-store.ts";
import type { SigningKeyStore } from "./signing-key-store.ts";
import type { TicketStore } from "./ticket-store.ts";

export interface CredentialStores extends SignInStore {
  readonly apiKeys: ApiKeyStore;
  readonly revocations: RevocationStore;
  readonly signingKeys: SigningKeyStore;
  readonly shareLinks: ShareLinkStore;
  readonly tickets: TicketStore;
}
