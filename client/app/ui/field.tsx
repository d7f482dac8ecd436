import type { ComponentProps, ReactNode } from "react";

/** Scrolled to, it leaves room for its label below the page's header. */
const CONTROL =
  "w-full scroll-mt-36 rounded-lg border bg-page px-3 py-2 text-ink placeholder:text-muted aria-invalid:border-bad border-line";

/** A labelled control with a hint or an error below it. */
function Field(props: Common & { children: ReactNode }) {
  return (
    <div>
      <label
        htmlFor={props.id}
        className={props.isBare === true ? "sr-only" : "mb-1 block text-sm font-medium"}
      >
        {props.label}
      </label>
      {props.children}
      <Hint {...props} className="mt-1" />
    </div>
  );
}

/** The error, else the hint: the text that describes the control. */
function Hint({ id, hint, error, className }: Omit<Common, "label"> & { className: string }) {
  return (
    <p
      id={hintOf(id)}
      className={`${className} text-sm ${error === undefined ? "text-muted" : "text-bad"}`}
    >
      {error ?? hint ?? ""}
    </p>
  );
}

const hintOf = (id: string) => `${id}-hint`;

/** Properties of a control with which screen readers tell its hint or error. */
const controlOf = (id: string, error: string | undefined) => ({
  id,
  "aria-invalid": error !== undefined,
  "aria-describedby": hintOf(id),
});

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
      <input {...controlOf(id, error)} className={CONTROL} {...rest} />
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
      <select {...controlOf(id, error)} className={CONTROL} {...rest}>
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
        {...controlOf(id, error)}
        {...rest}
        className={`${CONTROL} block field-sizing-content max-h-96 ${rest.className ?? ""}`}
      />
    </Field>
  );
}

/** Its label is always shown. */
export function CheckField(props: Common & ComponentProps<"input">) {
  const { id, label, hint, error, isBare: _, ...rest } = props;
  return (
    <div className="grid grid-cols-[auto_1fr] gap-x-2.5">
      <input
        {...controlOf(id, error)}
        type="checkbox"
        className="mt-1 size-4 accent-accent"
        {...rest}
      />
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <Hint id={id} hint={hint} error={error} className="col-start-2" />
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
