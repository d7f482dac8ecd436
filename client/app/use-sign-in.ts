import { createContext, useContext, useSyncExternalStore } from "react";
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
