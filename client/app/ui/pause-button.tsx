/** Pauses jobs after a confirmation, with a reason that people see. */
import { useId, useRef, useState } from "react";
import { MAX_PAUSE_NOTE_CHARS } from "#shared/limits.ts";
import { Button } from "./button.tsx";
import { TextField } from "./field.tsx";

export function PauseButton(props: {
  label: string;
  question: string;
  busy: boolean;
  onPause: (note: string) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [note, setNote] = useState("");
  const id = useId();
  return (
    <>
      <Button tone="danger" disabled={props.busy} onClick={() => dialog.current?.showModal()}>
        {props.label}
      </Button>
      <dialog
        ref={dialog}
        aria-labelledby={id}
        className="m-auto w-[min(28rem,calc(100%-2rem))] rounded-2xl border border-line bg-card p-6 text-ink shadow-xl"
      >
        <form
          method="dialog"
          className="space-y-4"
          onSubmit={() => {
            props.onPause(note);
            setNote("");
          }}
        >
          <h2 id={id} className="text-lg font-semibold text-balance">
            {props.question}
          </h2>
          <p className="text-sm text-muted">
            Jobs that run go on. All others wait until it is resumed, also those that schedules and
            programs create meanwhile.
          </p>
          <TextField
            id={`${id}-note`}
            label="Reason"
            hint="People see it on every page."
            maxLength={MAX_PAUSE_NOTE_CHARS}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
          <div className="flex justify-end gap-2">
            <Button onClick={() => dialog.current?.close()}>Close</Button>
            <Button type="submit" tone="danger">
              {props.label}
            </Button>
          </div>
        </form>
      </dialog>
    </>
  );
}
