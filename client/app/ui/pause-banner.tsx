import { CirclePause } from "lucide-react";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { useMe } from "#client/app/use-me.ts";
import { usePauses } from "#client/app/use-pauses.ts";
import { isOfAll, type Pause } from "#shared/pause.ts";
import { Breakable } from "./breakable.tsx";
import { Button } from "./button.tsx";
import { Age } from "./time.tsx";

/** Says above every page why jobs do not start. */
export function PauseBanner() {
  const { caller, has } = useMe();
  const { pauses, resume } = usePauses();
  const shown = pauses.filter(({ tenant = caller?.tenantId }) => tenant === caller?.tenantId);
  if (shown.length === 0) return null;
  return (
    <div role="status" className="border-b border-warn/40 bg-warn-soft text-sm text-warn">
      <ul className="mx-auto max-w-6xl space-y-1 px-4 py-2 sm:px-6">
        {shown.map((pause) => (
          <li key={`${pause.tenant ?? ""} ${pause.kind ?? ""}`} className="flex items-start gap-2">
            <CirclePause aria-hidden className="mt-1.5 size-4 shrink-0" />
            <p className="min-w-0 flex-1 py-1 wrap-anywhere">
              {textOf(pause)} since <Age at={pause.at} />.{" "}
              {pause.note !== "" && (
                <span className="font-medium">
                  “<Breakable text={pause.note} />”{" "}
                </span>
              )}
              Jobs that run go on; others wait until it ends.
            </p>
            {mayEnd(pause, has) && (
              <Button
                disabled={resume.isPending}
                onClick={() => resume.mutate({ tenant: pause.tenant, kind: pause.kind })}
              >
                Resume
              </Button>
            )}
          </li>
        ))}
        {resume.error !== null && <li role="alert">{requestErrorMessage(resume.error)}</li>}
      </ul>
    </div>
  );
}

function textOf(pause: Pause): string {
  if (isOfAll(pause)) return "Everything is paused";
  const whose = pause.tenant === undefined ? "" : " of your tenant";
  return pause.kind === undefined
    ? `All jobs${whose} are paused`
    : `Jobs of the kind ${pause.kind}${whose} are paused`;
}

function mayEnd({ tenant }: Pause, has: ReturnType<typeof useMe>["has"]): boolean {
  return has("operator") || (tenant !== undefined && has("admin"));
}
