/** A button that asks for confirmation and an optional note, which becomes part of the job's log. */
import { useId, useRef, useState } from "react";
import type { TypingResult } from "#client/lib/react.tsx";
import { MAX_NOTE_CHARS } from "#shared/limits.ts";
import { Button } from "./button.tsx";
import { WritingNow } from "./writing-now.tsx";

export function DecisionButton(props: {
  label: string;
  question: string;
  danger?: boolean;
  busy: boolean;
  /** Others see it while the note is written. */
  typing?: TypingResult;
  onDecide: (note: string | undefined) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [note, setNote] = useState("");
  const id = useId();
  const tone = props.danger === true ? "danger" : "plain";

  return (
    <>
      <Button tone={tone} disabled={props.busy} onClick={() => dialog.current?.showModal()}>
        {props.label}
      </Button>
      <dialog
        ref={dialog}
        onClose={props.typing?.onStop}
        aria-labelledby={`${id}-question`}
        className="m-auto w-[min(28rem,calc(100%-2rem))] rounded-2xl border border-line bg-card p-6 text-ink shadow-xl"
      >
        <form
          method="dialog"
          className="space-y-4"
          onSubmit={() => {
            props.onDecide(note.trim() === "" ? undefined : note.trim());
            setNote("");
          }}
        >
          <h2 id={`${id}-question`} className="text-lg font-semibold text-balance">
            {props.question}
          </h2>
          <div>
            <label htmlFor={`${id}-note`} className="mb-1 block text-sm font-medium">
              Note{" "}
              <span className="font-normal text-muted">
                (optional, visible to everyone who watches the job)
              </span>
            </label>
            <textarea
              id={`${id}-note`}
              rows={2}
              maxLength={MAX_NOTE_CHARS}
              value={note}
              onChange={(event) => {
                setNote(event.target.value);
                props.typing?.onType();
              }}
              className="w-full rounded-lg border border-line bg-page px-3 py-2"
            />
            {props.typing !== undefined && (
              <div className="mt-1 h-5">
                <WritingNow typing={props.typing} />
              </div>
            )}
          </div>
          <div className="flex justify-end gap-2">
            <Button onClick={() => dialog.current?.close()}>Close</Button>
            <Button type="submit" tone={props.danger === true ? "danger" : "primary"}>
              {props.label}
            </Button>
          </div>
        </form>
      </dialog>
    </>
  );
}
