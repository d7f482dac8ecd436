/** When a new job starts, and what else the queue may be told about it. Collapsed: most jobs need none of it. */
import { useId, useState } from "react";
import {
  NO_OPTIONS,
  type OptionErrors,
  type OptionTexts,
  readOptions,
} from "#client/app/job-options.ts";
import type { QueueOptions } from "#shared/create-options.ts";
import { MAX_JOB_ATTEMPTS, MAX_PRIORITY } from "#shared/limits.ts";
import { SelectField, TextField } from "./field.tsx";

interface OptionsForm {
  id: string;
  texts: OptionTexts;
  errors: OptionErrors;
  isOpen: boolean;
  onToggle(isOpen: boolean): void;
  onChange(name: keyof OptionTexts, text: string): void;
}

/** `read` shows the errors, and returns `undefined`, where the fields have any. */
export function useOptions(): { form: OptionsForm; read(): QueueOptions | undefined } {
  const id = useId();
  const [texts, setTexts] = useState(NO_OPTIONS);
  const [errors, setErrors] = useState<OptionErrors>({});
  const [isOpen, setOpen] = useState(false);
  return {
    form: {
      id,
      texts,
      errors,
      isOpen,
      onToggle: setOpen,
      onChange(name, text) {
        setTexts((before) => ({ ...before, [name]: text }));
        setErrors((before) => ({ ...before, [name]: undefined }));
      },
    },
    read() {
      const found = readOptions(texts, Date.now());
      if ("options" in found) return found.options;
      setErrors(found.errors);
      setOpen(true);
      return undefined;
    },
  };
}

const PRIORITIES = Array.from({ length: MAX_PRIORITY + 1 }, (_, level) => ({
  value: `${level}`,
  text: level === 0 ? "0 (usual)" : level === MAX_PRIORITY ? `${level} (first)` : `${level}`,
}));

/** `ofSchedule`: the options of its jobs, whose start is the schedule's. */
export function OptionsFields(props: OptionsForm & { ofSchedule?: boolean }) {
  const { id, texts, errors, isOpen, ofSchedule = false, onToggle, onChange } = props;
  const field = (name: keyof OptionTexts) => ({
    id: `${id}-${name}`,
    value: texts[name],
    error: errors[name],
    onChange: (event: { target: { value: string } }) => onChange(name, event.target.value),
  });
  return (
    <details
      open={isOpen}
      onToggle={({ currentTarget }) => onToggle(currentTarget.open)}
      className="rounded-xl border border-line px-4 py-3"
    >
      <summary className="text-sm font-medium">Options</summary>
      <div className="mt-4 grid gap-x-5 gap-y-2 sm:grid-cols-2">
        {!ofSchedule && (
          <TextField
            {...field("start")}
            type="datetime-local"
            label="Start"
            hint="Your local time. Empty: at once"
          />
        )}
        <SelectField
          {...field("priority")}
          label="Priority"
          hint="Higher ones come first"
          options={PRIORITIES}
        />
        <TextField
          {...field("expires")}
          type="number"
          inputMode="numeric"
          min={1}
          label="Expires after minutes"
          hint="Unless it has started by then"
        />
        <TextField
          {...field("attempts")}
          type="number"
          inputMode="numeric"
          min={1}
          max={MAX_JOB_ATTEMPTS}
          label="Attempts at most"
          hint="Empty: as usual"
        />
      </div>
    </details>
  );
}
