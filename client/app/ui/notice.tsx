import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

type Tone = "info" | "warn" | "bad";

const LOOK = {
  info: { className: "border-line bg-card", Icon: Info, ink: "text-accent" },
  warn: { className: "border-warn/40 bg-warn-soft", Icon: TriangleAlert, ink: "text-warn" },
  bad: { className: "border-bad/40 bg-bad-soft", Icon: CircleAlert, ink: "text-bad" },
} as const satisfies Record<Tone, unknown>;

/** A message to the user. Screen readers announce `bad` at once. */
export function Notice(props: { tone: Tone; title: string; children?: ReactNode }) {
  const { className, Icon, ink } = LOOK[props.tone];
  return (
    <div
      role={props.tone === "bad" ? "alert" : "note"}
      className={`flex gap-3 rounded-xl border p-4 ${className}`}
    >
      <Icon aria-hidden className={`mt-0.5 size-5 shrink-0 ${ink}`} />
      <div className="min-w-0 space-y-1">
        <p className="font-medium">{props.title}</p>
        <div className="space-y-1 text-sm break-words whitespace-pre-line text-ink/85">
          {props.children}
        </div>
      </div>
    </div>
  );
}
