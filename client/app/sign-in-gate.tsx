/** The page for a person who may see it, otherwise the sign-in. */
import { useEffect } from "react";
import { JobwireProvider } from "#client/lib/react.tsx";
import { App } from "./app.tsx";
import type { SignInStore } from "./sign-in.ts";
import { SignInDialog } from "./ui/sign-in-dialog.tsx";
import { SignInView } from "./ui/sign-in-view.tsx";
import { SignInContext, useSignIn } from "./use-sign-in.ts";

export function SignInGate({ store }: { store: SignInStore }) {
  return (
    <SignInContext value={store}>
      <Gate store={store} />
    </SignInContext>
  );
}

function Gate({ store }: { store: SignInStore }) {
  const { state, client } = useSignIn();
  // Runs after the effects of all components below, which have left the earlier client by then.
  useEffect(() => store.closeReplaced(), [store, client]);
  // Its WebSocket could only be refused. Signing in opens a new client.
  useEffect(() => {
    if (state.is === "out") client.close();
  }, [state.is, client]);
  if (state.is === "out") return <SignInView />;
  return (
    <JobwireProvider client={client}>
      <App />
      {state.is === "ended" && <SignInDialog who={state.who} />}
    </JobwireProvider>
  );
}
