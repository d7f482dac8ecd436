import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

export function Empty(props: { Icon: LucideIcon; title: string; children: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-3 rounded-2xl border border-dashed border-line px-6 py-16 text-center">
      <props.Icon aria-hidden className="size-8 text-muted" strokeWidth={1.5} />
      <h2 className="text-lg font-medium">{props.title}</h2>
      <div className="flex max-w-md flex-col items-center gap-4 text-muted">{props.children}</div>
    </div>
  );
}
