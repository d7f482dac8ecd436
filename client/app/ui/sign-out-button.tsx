import { LogOut } from "lucide-react";
import { useState } from "react";
import { useSignInStore } from "#client/app/use-sign-in.ts";
import { Button } from "./button.tsx";

export function SignOutButton({ className }: { className: string }) {
  const store = useSignInStore();
  const [hasFailed, setFailed] = useState(false);

  async function signOut() {
    setFailed(!(await store.signOut()));
  }

  return (
    <>
      <Button className={className} onClick={() => void signOut()}>
        <LogOut aria-hidden className="size-4" />
        Sign out
      </Button>
      {hasFailed && (
        <p role="alert" className="mt-2 text-sm text-bad">
          The server cannot be reached, so you are still signed in. Try again.
        </p>
      )}
    </>
  );
}
