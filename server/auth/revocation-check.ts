/**
 * Looks up whether tokens were revoked. An answer is kept for some seconds, so that an authenticated call costs no read; a hint
 * that a revocation was stored makes the check forget it at once.
 */
import { LRUCache } from "lru-cache";
import type {
  RevocationAnswer,
  RevocationQuestion,
  RevocationStore,
} from "#server/engine/contract.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { cutText } from "#shared/cut-text.ts";
import { hashOfTokenId } from "./token-hash.ts";

/** From when the read begins. A revocation whose hint was lost counts after it. */
const KEPT_MS = 5000;
const MAX_KEPT_ANSWERS = 10_000;
const MAX_LOGGED_CHARS = 200;

/** A token whose signature was checked. */
export interface IssuedToken {
  tenant: string;
  user: string;
  /** Its `jti`; `null` if it has none. */
  id: string | null;
  /** Milliseconds since the epoch; 0 if it does not say. */
  issuedAt: number;
}

/** The methods reject with the engine's error if they cannot tell. */
export interface RevocationCheck {
  /** Resolves to why a token does not count any more, for the log; `undefined` if it was not revoked. */
  refusal(token: IssuedToken): Promise<string | undefined>;
  /** Reads anew, in one call for all of them. */
  areRevoked(tokens: readonly IssuedToken[]): Promise<boolean[]>;
  forget(hint: CredentialHint): void;
}

interface Kept {
  question: RevocationQuestion;
  answer: RevocationAnswer;
  since: number;
}

interface Waiting {
  token: IssuedToken;
  resolve(answer: RevocationAnswer): void;
  reject(error: unknown): void;
}

interface RevocationCheckOptions {
  store: Pick<RevocationStore, "find">;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
}

export function createRevocationCheck({
  store,
  clock = () => performance.now(),
}: RevocationCheckOptions): RevocationCheck {
  // With `max`, lru-cache would allocate all places at once.
  const kept = new LRUCache<string, Kept>({
    maxSize: MAX_KEPT_ANSWERS,
    sizeCalculation: () => 1,
  });
  let waiting: Waiting[] = [];
  /** Counts the hints: an answer whose read began before one is not kept. */
  let hints = 0;

  /** Tokens that are checked in one turn of the event loop share a read: each client of a herd brings its own. */
  function read(token: IssuedToken): Promise<RevocationAnswer> {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void readWaiting());
      waiting.push({ token, resolve, reject });
    });
  }

  async function readWaiting(): Promise<void> {
    const asked = waiting;
    waiting = [];
    const [since, hintsBefore] = [clock(), hints];
    const questions = asked.map(({ token }) => questionOf(token));
    try {
      const answers = await store.find(questions);
      for (const [index, { token, resolve }] of asked.entries()) {
        const [question, answer] = [questions[index], answers[index]];
        if (question === undefined || answer === undefined)
          throw new Error("An answer is missing.");
        if (hints === hintsBefore) kept.set(nameOf(token), { question, answer, since });
        resolve(answer);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  return {
    async refusal(token) {
      const found = kept.get(nameOf(token));
      const isCurrent = found !== undefined && clock() - found.since < KEPT_MS;
      return reasonIn(isCurrent ? found.answer : await read(token), token);
    },
    async areRevoked(tokens) {
      const answers = await store.find(tokens.map(questionOf));
      return tokens.map((token, index) => {
        const answer = answers[index];
        return answer !== undefined && reasonIn(answer, token) !== undefined;
      });
    },
    forget(hint) {
      if (hint.kind !== "token" && hint.kind !== "user" && hint.kind !== "any") return;
      hints += 1;
      for (const [name, { question }] of kept.entries()) {
        if (isAbout(hint, question)) kept.delete(name);
      }
    },
  };
}

function nameOf({ tenant, user, id }: IssuedToken): string {
  return JSON.stringify([tenant, user, id]);
}

function questionOf({ tenant, user, id }: IssuedToken): RevocationQuestion {
  return { tenant, user, tokenHash: id === null ? undefined : hashOfTokenId(id) };
}

/** True if the hint may be about a token. */
export function isAbout(
  hint: CredentialHint,
  { tenant, user, tokenHash }: RevocationQuestion,
): boolean {
  if (hint.kind === "any") return true;
  if (hint.kind === "token") return hint.tenant === tenant && hint.hash === tokenHash;
  return hint.kind === "user" && hint.tenant === tenant && hint.user === user;
}

function reasonIn(
  { isTokenRevoked, before }: RevocationAnswer,
  { id, user, issuedAt }: IssuedToken,
): string | undefined {
  if (isTokenRevoked) return `${quoted(id ?? "")} was revoked`;
  if (issuedAt >= before) return undefined;
  return `what ${quoted(user)} was issued before ${new Date(before).toISOString()} was revoked`;
}

function quoted(text: string): string {
  return JSON.stringify(cutText(text, MAX_LOGGED_CHARS));
}
