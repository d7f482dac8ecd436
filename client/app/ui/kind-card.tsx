import type { KindInfo } from "#shared/api.ts";
import { Card } from "./card.tsx";

/** Describes a kind to a person who is about to ask for a job of it. */
export function KindCard({ info }: { info: KindInfo }) {
  return (
    <aside aria-label="Help" className="min-w-0">
      <Card title="About this kind">
        <p className="text-sm break-words whitespace-pre-line">{info.description}</p>
        <details className="mt-4 text-sm">
          <summary className="text-muted">JSON Schema of the input</summary>
          <pre
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
            tabIndex={0}
            className="mt-2 max-h-96 overflow-auto rounded-lg bg-sunken p-3 text-xs"
          >
            {JSON.stringify(info.input, null, 2)}
          </pre>
        </details>
      </Card>
    </aside>
  );
}
