import { useEffect } from "react";
import { addressOf } from "#client/app/base.ts";
import { SignInWays } from "./sign-in-ways.tsx";

/** Stands in place of the page. The address stays, so that the person is back where they were. */
export function SignInView() {
  useEffect(() => {
    document.title = "Sign in · Jobwire";
  }, []);
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center px-4 py-10">
      <div className="rounded-2xl border border-line bg-card p-6 sm:p-8">
        <div className="mb-6 flex items-center gap-3">
          <img src={addressOf("/favicon.svg")} alt="" className="size-8" />
          <h1 className="text-xl font-semibold tracking-tight">Sign in to Jobwire</h1>
        </div>
        <SignInWays />
      </div>
    </main>
  );
}
