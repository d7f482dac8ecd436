/** Entry point: one cache, who is signed in, and the theme before the first paint. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { SIGN_IN_CHANNEL } from "#shared/sign-in.ts";
import { createJobwireClient } from "#client/lib/client.ts";
import "./app.css";
import { openDevice } from "./device.ts";
import { loadRest } from "./app.tsx";
import { basePath, baseUrl, pathNow } from "./base.ts";
import { SharedApp } from "./shared-app.tsx";
import { SHARE_PATH } from "./shared-stream.ts";
import { createSignInStore, type SignInStore } from "./sign-in.ts";
import { SignInGate } from "./sign-in-gate.tsx";
import { startTheme } from "./theme.ts";

startTheme();

const cache = new QueryClient();
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element with the id root.");

const device = openDevice();
const isShared = pathNow() === SHARE_PATH;
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <Router base={basePath}>
        {isShared ? <SharedApp device={device} /> : <SignInGate store={openSignIn()} />}
      </Router>
    </QueryClientProvider>
  </StrictMode>,
);

if (!isShared) addEventListener("load", () => setTimeout(loadRest));

function openSignIn(): SignInStore {
  const signIn = createSignInStore({
    openClient: (waitForSignIn) =>
      createJobwireClient({ url: baseUrl, waitForSignIn, device: device.text }),
    onOtherUser: () => location.reload(),
    onSignedOut: () => cache.clear(),
  });
  signIn.subscribe(() => {
    if (signIn.get().state.is === "absent") device.keep();
  });
  void signIn.check();
  // The person may have signed in or out in another tab.
  document.addEventListener("visibilitychange", () => {
    const { is } = signIn.get().state;
    if (!document.hidden && is !== "absent") void signIn.check();
  });
  // The person has signed in at a provider, in another window.
  new BroadcastChannel(SIGN_IN_CHANNEL).addEventListener("message", () => {
    // A question that is under way may be from before that.
    void signIn.check().then(signIn.check);
  });
  return signIn;
}
