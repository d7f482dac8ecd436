/** Pauses jobs after a confirmation, with a reason that people see. */
import { useId, useState } from "react";
import { useKinds } from "#client/app/use-kinds.ts";
import { MAX_PAUSE_NOTE_CHARS } from "#shared/limits.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { SelectField, TextField } from "./field.tsx";

const DETAIL =
  "Jobs that run go on. All others wait until it is resumed, also those that schedules and programs create meanwhile.";

export function PauseButton(props: {
  label: string;
  question: string;
  busy: boolean;
  onPause: (pause: { note: string; kind?: string }) => void;
}) {
  const { label, question, busy, onPause } = props;
  const { kinds = [] } = useKinds();
  const [note, setNote] = useState("");
  const [kind, setKind] = useState("");
  const [kindId, noteId] = [useId(), useId()];
  return (
    <ConfirmButton
      label={label}
      question={question}
      detail={DETAIL}
      busy={busy}
      onConfirm={() => {
        onPause({ note, ...(kind !== "" && { kind }) });
        setNote("");
        setKind("");
      }}
    >
      {kinds.length > 1 && (
        <SelectField
          id={kindId}
          label="Jobs"
          options={[
            { value: "", text: "Of all kinds" },
            ...kinds.map(({ name }) => ({ value: name, text: `Of the kind ${name}` })),
          ]}
          value={kind}
          onChange={(event) => setKind(event.target.value)}
        />
      )}
      <TextField
        id={noteId}
        label="Reason"
        hint="People see it on every page."
        maxLength={MAX_PAUSE_NOTE_CHARS}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
    </ConfirmButton>
  );
}
