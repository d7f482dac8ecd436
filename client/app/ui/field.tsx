import type { ComponentProps, ReactNode } from "react";

const CONTROL =
  "w-full rounded-lg border bg-page px-3 py-2 text-ink placeholder:text-muted aria-invalid:border-bad border-line";

/** A labelled control with a hint or an error below it. */
function Field(props: {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: ReactNode;
}) {
  return (
    <div>
      <label htmlFor={props.id} className="mb-1 block text-sm font-medium">
        {props.label}
      </label>
      {props.children}
      <p
        id={`${props.id}-hint`}
        className={`mt-1 text-sm ${props.error === undefined ? "text-muted" : "text-bad"}`}
      >
        {props.error ?? props.hint}
      </p>
    </div>
  );
}

interface Common {
  id: string;
  label: string;
  hint?: string;
  error?: string | undefined;
}

export function TextField({ id, label, hint, error, ...rest }: Common & ComponentProps<"input">) {
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <input
        id={id}
        className={CONTROL}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-hint`}
        {...rest}
      />
    </Field>
  );
}

interface Option {
  value: string;
  text: string;
  disabled?: boolean;
}

export function SelectField({
  id,
  label,
  hint,
  error,
  options,
  ...rest
}: Common & { options: readonly Option[] } & ComponentProps<"select">) {
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <select
        id={id}
        className={CONTROL}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-hint`}
        {...rest}
      >
        {options.map(({ value, text, disabled }) => (
          <option key={value} value={value} disabled={disabled}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}
