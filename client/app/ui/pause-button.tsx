/** Pauses jobs after a confirmation, with a reason that people see. */
import { useId, useState } from "react";
import { MAX_PAUSE_NOTE_CHARS } from "#shared/limits.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { TextField } from "./field.tsx";

const DETAIL =
  "Jobs that run go on. All others wait until it is resumed, also those that schedules and programs create meanwhile.";

export function PauseButton(props: {
  label: string;
  question: string;
  busy: boolean;
  onPause: (note: string) => void;
}) {
  const { label, question, busy, onPause } = props;
  const [note, setNote] = useState("");
  return (
    <ConfirmButton
      label={label}
      question={question}
      detail={DETAIL}
      busy={busy}
      onConfirm={() => {
        onPause(note);
        setNote("");
      }}
    >
      <TextField
        id={useId()}
        label="Reason"
        hint="People see it on every page."
        maxLength={MAX_PAUSE_NOTE_CHARS}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
    </ConfirmButton>
  );
}
