import { useEffect, useId, useRef } from "react";
import type { SignedIn } from "#shared/sign-in.ts";
import { SignInWays } from "./sign-in-ways.tsx";
import { SignOutButton } from "./sign-out-button.tsx";

/** Lies over the page, which keeps what was typed in it. It cannot be closed: no call would succeed. */
export function SignInDialog({ who }: { who: SignedIn }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-text`}
      className="m-auto w-[min(28rem,calc(100%-2rem))] rounded-2xl border border-line bg-card p-6 text-ink shadow-xl"
      onCancel={(event) => event.preventDefault()}
      // Browsers close it on a second Escape all the same.
      onClose={() => dialog.current?.showModal()}
    >
      <h2 id={`${id}-title`} className="text-lg font-semibold text-balance">
        Sign in again
      </h2>
      <p id={`${id}-text`} className="mt-1 mb-5 text-sm text-muted">
        Your sign-in as {who.user} has ended. Nothing that you typed is lost, and the page goes on
        where it was.
      </p>
      <SignInWays user={who.user} inWindow>
        <SignOutButton className="py-2" />
      </SignInWays>
    </dialog>
  );
}
