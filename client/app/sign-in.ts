/**
 * Whether the person is signed in, as a store for `useSyncExternalStore`:
 *
 *   unknown ──┬─ no sign-in here ──► absent
 *             ├─ refused ──────────► out ◄───────── sign out ──┬──────────┐
 *             └─ known ────────────► in ─── a call refused ──► ended      │
 *                                    ▲ └───────────────────────│──────────┘
 *                                    └──────── sign in ────────┘
 *
 * `out` shows the sign-in in place of the page. `ended` shows it as a dialog over the page, which stays as it was.
 */
import type { JobwireClient } from "#client/lib/client.ts";
import type { SignedIn, SignInWays } from "#shared/sign-in.ts";
import { askWho, NO_COOKIE, sendSignOut, sendToken, signInError } from "./sign-in-requests.ts";

export type SignInState =
  | { is: "unknown" | "absent" | "out" }
  | { is: "in" | "ended"; who: SignedIn };

interface Snapshot {
  state: SignInState;
  /** A new one after each sign-in: a WebSocket keeps the principal that it was opened with. */
  client: JobwireClient;
  /** As the server said last. */
  ways: SignInWays;
}

export interface SignInStore {
  get(): Snapshot;
  subscribe(listener: () => void): () => void;
  /** Asks the server who the person is. */
  check(): Promise<void>;
  /** For `signInLink`. */
  whenSignedIn(): Promise<boolean>;
  /** Resolves to a message for people if it failed. */
  signIn(token: string): Promise<string | undefined>;
  /** Resolves to false if the server could not be reached; the person is still signed in. */
  signOut(): Promise<boolean>;
  /** Closes clients that were replaced. Call it when nothing uses them. */
  closeReplaced(): void;
}

/** A server that knows the caller and refuses its calls is asked no more often. */
const PAUSE_MS = 1000;
/** Between questions to a server that does not answer. */
const AGAIN_MS = 5000;

export function createSignInStore(options: {
  openClient: (whenSignedIn: () => Promise<boolean>) => JobwireClient;
  /** Another person's data must not stay on the page. */
  onOtherUser: () => void;
  onSignedOut: () => void;
}): SignInStore {
  const listeners = new Set<() => void>();
  const replaced: JobwireClient[] = [];
  let waiting: PromiseWithResolvers<boolean> | undefined;
  let checking: Promise<void> | undefined;
  let snapshot: Snapshot = {
    state: { is: "unknown" },
    client: options.openClient(whenSignedIn),
    ways: { methods: [] },
  };

  function show(state: SignInState, { client, ways }: Partial<Snapshot> = {}): void {
    snapshot = { state, client: client ?? snapshot.client, ways: ways ?? snapshot.ways };
    for (const listener of listeners) listener();
  }

  function settle(isSignedIn: boolean): void {
    waiting?.resolve(isSignedIn);
    waiting = undefined;
  }

  function enter(who: SignedIn): void {
    const { state, client } = snapshot;
    if ("who" in state && !isSame(state.who, who)) return options.onOtherUser();
    const isFirst = state.is === "unknown" && waiting === undefined;
    if (isFirst || (state.is === "in" && waiting === undefined)) {
      return show({ is: "in", who }, { ways: who });
    }
    replaced.push(client);
    show({ is: "in", who }, { client: options.openClient(whenSignedIn), ways: who });
    settle(true);
  }

  async function ask(): Promise<void> {
    const { state: before } = snapshot;
    const answer = await askWho();
    // The person has signed in or out meanwhile.
    if (snapshot.state !== before) return;
    if (answer.is === "in") {
      if (before.is === "in" && waiting !== undefined) await pause();
      enter(answer.who);
    } else if (answer.is === "none") {
      show({ is: "absent" });
      settle(false);
    } else if (answer.is === "refused" && signedOutBy(answer.code)) {
      const { ways } = answer;
      show("who" in before ? { is: "ended", who: before.who } : { is: "out" }, { ways });
    } else {
      // The state stays. Calls that wait fail, and are repeated or reported like others.
      settle(false);
      if (before.is === "unknown") setTimeout(() => void check(), AGAIN_MS);
    }
  }

  function check(): Promise<void> {
    return (checking ??= ask().finally(() => (checking = undefined)));
  }

  function whenSignedIn(): Promise<boolean> {
    const { is } = snapshot.state;
    if (is === "absent") return Promise.resolve(false);
    waiting ??= Promise.withResolvers();
    const { promise } = waiting;
    if (is === "in" || is === "unknown") void check();
    return promise;
  }

  return {
    get: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    check,
    whenSignedIn,
    async signIn(token) {
      const answer = await sendToken(token);
      if (answer.is !== "in") return signInError(answer);
      const known = await askWho();
      if (known.is !== "in") return known.is === "refused" ? NO_COOKIE : signInError(known);
      enter(known.who);
      return undefined;
    },
    async signOut() {
      if (!(await sendSignOut())) return false;
      show({ is: "out" });
      options.onSignedOut();
      return true;
    },
    closeReplaced() {
      for (const client of replaced.splice(0)) client.close();
    },
  };
}

function signedOutBy(code: string): boolean {
  return code === "UNAUTHENTICATED" || code === "TOKEN_EXPIRED";
}

function isSame(one: SignedIn, other: SignedIn): boolean {
  return one.user === other.user && one.tenant === other.tenant;
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS));
