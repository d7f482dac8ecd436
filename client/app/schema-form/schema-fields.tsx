/** The controls of a form for a JSON Schema. */
import {
  AreaField,
  CheckField,
  FixedField,
  SelectField,
  TextField,
} from "#client/app/ui/field.tsx";
import { isGroup, valueText } from "./fields.ts";
import { GroupField } from "./group-field.tsx";
import type { FieldErrors } from "./input.ts";
import type { SchemaFieldProps } from "./schema-field-props.ts";

/** Moves the focus to the first field with an error. */
export function focusError(id: string, errors: FieldErrors): void {
  const [first] = [...errors.keys()]
    .flatMap((place) => document.getElementById(id + place) ?? [])
    .toSorted((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  first?.focus();
}

export function SchemaField(props: SchemaFieldProps) {
  const { field, id, place, draft, errors, isBare = false, onChange } = props;
  const { control, label, hint } = field;
  if (isGroup(control)) {
    return typeof draft === "string" ? null : (
      <GroupField {...props} control={control} draft={draft} Inner={SchemaField} />
    );
  }
  const text = typeof draft === "string" ? draft : "";
  const common = { id: id + place, label, hint, error: errors.get(place), isBare };
  const typed = {
    ...common,
    "aria-required": field.isRequired && !field.isNullable,
    value: text,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (control.is) {
    case "check":
      return (
        <CheckField
          {...common}
          checked={text === "true"}
          onChange={(event) => onChange(String(event.target.checked))}
        />
      );
    case "fixed":
      return control.isShown && <FixedField {...common} value={valueText(control.value)} />;
    case "choice": {
      const options = control.values.map((value) => ({
        value: JSON.stringify(value),
        text: valueText(value),
      }));
      const none = { value: "", text: field.isRequired && !field.isNullable ? "Choose…" : "None" };
      return <SelectField {...typed} options={[none, ...options]} />;
    }
    case "number":
      return <TextField {...typed} inputMode={control.whole ? "numeric" : "decimal"} />;
    case "json":
      return <AreaField {...typed} rows={3} spellCheck={false} className="font-mono text-sm" />;
    case "text":
      if (control.type === "lines") return <AreaField {...typed} rows={1} />;
      return (
        <TextField
          {...typed}
          type={control.type}
          step={control.type === "datetime-local" ? 1 : undefined}
        />
      );
  }
}
