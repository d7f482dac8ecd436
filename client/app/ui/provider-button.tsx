import { ExternalLink } from "lucide-react";
import type { MouseEvent } from "react";
import { pathNow } from "#client/app/base.ts";
import { providerAddress } from "#client/app/sign-in-requests.ts";
import { useSignIn } from "#client/app/use-sign-in.ts";
import { Breakable } from "./breakable.tsx";
import { ButtonAnchor } from "./button.tsx";

const WINDOW = "popup,width=520,height=680";

/**
 * Leads to the provider. `inWindow`: in another window, which closes itself at the end, so that this page stays as it is.
 * Absent where the person cannot sign in at a provider.
 */
export function ProviderButton({ inWindow = false }: { inWindow?: boolean }) {
  const { ways } = useSignIn();
  const here = pathNow() + location.search;
  const address = providerAddress(ways, inWindow ? null : here);
  if (ways.provider === undefined || address === undefined) return null;
  // Under another address of the server, this page would not see the sign-in.
  if (inWindow && new URL(address).origin !== location.origin) return null;

  /** A browser that opens no window opens a tab instead, as it does for any such link. */
  function openWindow(event: MouseEvent<HTMLAnchorElement>) {
    const opened = window.open(address, "_blank", WINDOW);
    if (opened === null) return;
    event.preventDefault();
    // The provider's page must not lead this one elsewhere.
    opened.opener = null;
  }

  return (
    <ButtonAnchor
      href={address}
      tone="primary"
      className="w-full px-5 py-2 whitespace-normal"
      {...(inWindow && { target: "_blank", rel: "noreferrer", onClick: openWindow })}
    >
      <span>
        Sign in with <Breakable text={ways.provider.name} />
      </span>
      {inWindow && <ExternalLink aria-hidden className="size-4 shrink-0" />}
    </ButtonAnchor>
  );
}
