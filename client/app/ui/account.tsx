import { CircleUserRound } from "lucide-react";
import { useId } from "react";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { useMe } from "#client/app/use-me.ts";
import { usePauses } from "#client/app/use-pauses.ts";
import { useSignIn } from "#client/app/use-sign-in.ts";
import { Breakable } from "./breakable.tsx";
import { PauseButton } from "./pause-button.tsx";
import { SignOutButton } from "./sign-out-button.tsx";

/** The person who is signed in. Absent on a server without sign-in. */
export function Account() {
  const { state } = useSignIn();
  const id = useId();
  if (!("who" in state)) return null;
  const { user, tenant, byCookie } = state.who;

  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        aria-label={`Account: ${user}`}
        title={`${user} (${tenant})`}
        className="flex items-center gap-1.5 rounded-md p-2 text-sm text-muted transition-colors hover:bg-sunken hover:text-ink"
      >
        <CircleUserRound aria-hidden className="size-4 shrink-0" />
        <span className="hidden max-w-32 truncate md:inline">{user}</span>
      </button>
      <div
        id={id}
        popover="auto"
        role="group"
        aria-label="Account"
        className="fixed inset-auto top-14 right-[max(1rem,calc((100vw-72rem)/2+1.5rem))] m-0 w-64 max-w-[calc(100vw-2rem)] rounded-xl border border-line bg-card p-4 text-sm text-ink shadow-xl"
      >
        <dl className="space-y-2">
          <div>
            <dt className="text-muted">User</dt>
            <dd className="font-medium break-words">
              <Breakable text={user} />
            </dd>
          </div>
          <div>
            <dt className="text-muted">Tenant</dt>
            <dd className="font-medium break-words">
              <Breakable text={tenant} />
            </dd>
          </div>
        </dl>
        <PauseTenant tenant={tenant} onPause={() => document.getElementById(id)?.hidePopover()} />
        {byCookie && <SignOutButton className="mt-4 w-full" />}
      </div>
    </>
  );
}

/** For admins. The banner has the way back. */
function PauseTenant({ tenant, onPause }: { tenant: string; onPause: () => void }) {
  const { has } = useMe();
  const { pauses, pause } = usePauses();
  const isPaused = pauses.some((each) => each.tenant === tenant && each.kind === undefined);
  if (!has("admin") || isPaused) return null;
  return (
    <div className="mt-4 space-y-2">
      <PauseButton
        label="Pause jobs"
        question={`Pause jobs of ${tenant}?`}
        busy={pause.isPending}
        onPause={(what) => {
          pause.mutate({ tenant, ...what });
          onPause();
        }}
      />
      {pause.error !== null && (
        <p role="alert" className="text-sm text-bad">
          {requestErrorMessage(pause.error)}
        </p>
      )}
    </div>
  );
}
