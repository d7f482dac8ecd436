import type { ReactNode } from "react";
import { useSignIn } from "#client/app/use-sign-in.ts";
import { ProviderButton } from "./provider-button.tsx";
import { SignInForm } from "./sign-in-form.tsx";

/** All ways to sign in that the server has. `children`: what else can be done. */
export function SignInWays(props: { user?: string; inWindow?: boolean; children?: ReactNode }) {
  const { user, inWindow = false, children } = props;
  const { methods } = useSignIn().ways;
  const hasProvider = methods.includes("oidc");
  if (hasProvider && !methods.includes("token")) {
    return (
      <div className="space-y-4">
        <ProviderButton inWindow={inWindow} />
        {children !== undefined && <div className="flex justify-end">{children}</div>}
      </div>
    );
  }
  return (
    <>
      {hasProvider && (
        <>
          <ProviderButton inWindow={inWindow} />
          <div className="my-5 flex items-center gap-3 text-sm text-muted">
            <span className="h-px grow bg-line" />
            or
            <span className="h-px grow bg-line" />
          </div>
        </>
      )}
      <SignInForm isSecond={hasProvider} {...(user !== undefined && { user })}>
        {children}
      </SignInForm>
    </>
  );
}
