import { createContext, useContext, useSyncExternalStore } from "react";
import type { SignedIn } from "#shared/sign-in.ts";
import type { SignInStore } from "./sign-in.ts";

export const SignInContext = createContext<SignInStore | undefined>(undefined);

export function useSignInStore(): SignInStore {
  const store = useContext(SignInContext);
  if (store === undefined) throw new Error("useSignInStore needs a SignInGate around it.");
  return store;
}

export function useSignIn() {
  const store = useSignInStore();
  return useSyncExternalStore(store.subscribe, store.get);
}

const NEVER = () => () => undefined;
const NO_STORE = () => undefined;

/** The person who is signed in; `undefined` on a server without sign-in, and on the page of a share link. */
export function useWho(): SignedIn | undefined {
  const store = useContext(SignInContext);
  const snapshot = useSyncExternalStore(store?.subscribe ?? NEVER, store?.get ?? NO_STORE);
  return snapshot !== undefined && "who" in snapshot.state ? snapshot.state.who : undefined;
}
