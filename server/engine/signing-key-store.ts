/**
 * The part of an engine that keeps the keys with which the server signs stream tokens, share links and tickets. Its methods
 * reject as those of the engine do (`contract.ts`).
 */

export interface SigningKey {
  id: string;
  /** As base64url. */
  secret: string;
  /** When everything that it signed has ended, so that it may be forgotten. */
  until: Date;
}

export interface SigningKeyStore {
  /** Stores the key unless there is one with its id, and returns the secret that is stored: the first one counts. */
  agree(key: SigningKey, at: Date): Promise<string>;
  /** Returns its secret; `undefined` if there is none. */
  find(id: string): Promise<string | undefined>;
}
