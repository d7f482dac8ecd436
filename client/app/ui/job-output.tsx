/** The output of a kind that the page has no view for: as data, without working links. */
import { Card } from "./card.tsx";
import { CopyButton } from "./copy-button.tsx";
import { DataView } from "./data-view.tsx";
import { SaveButton } from "./save-button.tsx";

export function JobOutput({ output }: { output: unknown }) {
  const isText = typeof output === "string";
  const text = isText ? output : JSON.stringify(output, null, 2);
  return (
    <Card
      title="Output"
      actions={
        <>
          <CopyButton label={isText ? "Copy" : "Copy JSON"} text={text} />
          {isText ? (
            <SaveButton label="Text" name="output.txt" type="text/plain" text={text} />
          ) : (
            <SaveButton label="JSON" name="output.json" type="application/json" text={text} />
          )}
        </>
      }
    >
      <div
        role="group"
        aria-label="Output of the job"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-[40rem] overflow-y-auto text-sm"
      >
        <DataView value={output} />
      </div>
    </Card>
  );
}
