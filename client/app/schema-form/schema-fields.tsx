/** The controls of a form for a JSON Schema. */
import { AreaField, CheckField, SelectField, TextField } from "#client/app/ui/field.tsx";
import type { Field } from "./fields.ts";
import type { FieldErrors, Texts } from "./input.ts";

interface SchemaFieldsProps {
  /** Of the form: names of properties can be anything, so controls have ids by their position. */
  id: string;
  fields: readonly Field[];
  texts: Texts;
  errors: FieldErrors;
  onChange(name: string, text: string): void;
}

export function SchemaFields({ id, fields, texts, errors, onChange }: SchemaFieldsProps) {
  if (fields.length === 0) return <p className="text-muted">This kind takes no input.</p>;
  return fields.map((field, index) => (
    <SchemaField
      key={field.name}
      field={field}
      id={controlId(id, index)}
      text={texts[field.name] ?? ""}
      error={errors.get(field.name)}
      onChange={(text) => onChange(field.name, text)}
    />
  ));
}

/** Moves the focus to the first field with an error. */
export function focusError(id: string, fields: readonly Field[], errors: FieldErrors): void {
  const index = fields.findIndex(({ name }) => errors.has(name));
  if (index !== -1) document.getElementById(controlId(id, index))?.focus();
}

const controlId = (id: string, index: number) => `${id}-${index}`;

function SchemaField(props: {
  field: Field;
  id: string;
  text: string;
  error: string | undefined;
  onChange(text: string): void;
}) {
  const { field, id, text, error, onChange } = props;
  const { control, label, hint } = field;
  const common = { id, label, hint, error, "aria-required": field.isRequired };
  const typed = {
    ...common,
    value: text,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (control.is) {
    case "check":
      return (
        <CheckField
          {...{ id, label, hint, error }}
          checked={text === "true"}
          onChange={(event) => onChange(String(event.target.checked))}
        />
      );
    case "choice": {
      const options = control.values.map((value) => ({
        value: JSON.stringify(value),
        text: wordOf(value),
      }));
      const none = { value: "", text: field.isRequired && !field.isNullable ? "Choose…" : "None" };
      return <SelectField {...typed} options={[none, ...options]} />;
    }
    case "number":
      return <TextField {...typed} inputMode={control.whole ? "numeric" : "decimal"} />;
    case "list":
      return <AreaField {...typed} rows={3} spellCheck={false} />;
    case "json":
      return <AreaField {...typed} rows={3} spellCheck={false} className="font-mono text-sm" />;
    case "text":
      return control.type === "lines" ? (
        <AreaField {...typed} rows={1} />
      ) : (
        <TextField {...typed} type={control.type} />
      );
  }
}

function wordOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "string" ? value : JSON.stringify(value);
}
