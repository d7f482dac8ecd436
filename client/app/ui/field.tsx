import type { ComponentProps, ReactNode } from "react";

/** Scrolled to, it leaves room for its label below the page's header. */
const CONTROL =
  "w-full scroll-mt-36 rounded-lg border bg-page px-3 py-2 text-ink placeholder:text-muted aria-invalid:border-bad border-line";

/** A labelled control with a hint or an error below it. */
function Field(props: {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  isBare?: boolean | undefined;
  children: ReactNode;
}) {
  const text = props.error ?? props.hint ?? "";
  return (
    <div>
      <label
        htmlFor={props.id}
        className={props.isBare === true ? "sr-only" : "mb-1 block text-sm font-medium"}
      >
        {props.label}
      </label>
      {props.children}
      <p
        id={`${props.id}-hint`}
        className={`mt-1 text-sm ${props.error === undefined ? "text-muted" : "text-bad"}`}
      >
        {text}
      </p>
    </div>
  );
}

interface Common {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** The label is for screen readers alone. */
  isBare?: boolean | undefined;
}

export function TextField({
  id,
  label,
  hint,
  error,
  isBare,
  ...rest
}: Common & ComponentProps<"input">) {
  return (
    <Field id={id} label={label} hint={hint} error={error} isBare={isBare}>
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
  isBare,
  options,
  ...rest
}: Common & { options: readonly Option[] } & ComponentProps<"select">) {
  return (
    <Field id={id} label={label} hint={hint} error={error} isBare={isBare}>
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

export function AreaField({
  id,
  label,
  hint,
  error,
  isBare,
  ...rest
}: Common & ComponentProps<"textarea">) {
  return (
    <Field id={id} label={label} hint={hint} error={error} isBare={isBare}>
      <textarea
        id={id}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-hint`}
        {...rest}
        className={`${CONTROL} block field-sizing-content max-h-96 ${rest.className ?? ""}`}
      />
    </Field>
  );
}

/** Its label is always shown. */
export function CheckField(props: Common & ComponentProps<"input">) {
  const { id, label, hint, error, isBare: _, ...rest } = props;
  const text = error ?? hint ?? "";
  return (
    <div className="grid grid-cols-[auto_1fr] gap-x-2.5">
      <input
        id={id}
        type="checkbox"
        className="mt-1 size-4 accent-accent"
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-hint`}
        {...rest}
      />
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <p
        id={`${id}-hint`}
        className={`col-start-2 text-sm ${error === undefined ? "text-muted" : "text-bad"}`}
      >
        {text}
      </p>
    </div>
  );
}

/** A value that cannot be changed. */
export function FixedField({ id, label, hint, error, value }: Common & { value: string }) {
  return (
    <div id={id} tabIndex={-1}>
      <p className="mb-1 text-sm font-medium">{label}</p>
      <p>{value}</p>
      <p className={`mt-1 text-sm ${error === undefined ? "text-muted" : "text-bad"}`}>
        {error ?? hint}
      </p>
    </div>
  );
}
