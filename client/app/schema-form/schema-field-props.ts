/** Of each field of a form, single or a group. */
import type { Draft } from "./draft.ts";
import type { Field } from "./fields.ts";
import type { FieldErrors } from "./input.ts";

export interface SchemaFieldProps {
  field: Field;
  /** Of the form. Names of properties can be anything, so controls have ids by their places. */
  id: string;
  place: string;
  draft: Draft;
  errors: FieldErrors;
  /** The label is for screen readers alone. */
  isBare?: boolean;
  onChange(draft: Draft): void;
}
