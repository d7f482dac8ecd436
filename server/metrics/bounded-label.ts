/** Bounds the values of a label to a list: any other text becomes `other`. */
import { OTHER } from "./definitions.ts";

export function createBoundedLabel(values: readonly string[]): (value: string) => string {
  const known = new Set(values);
  return (value) => (known.has(value) ? value : OTHER);
}
