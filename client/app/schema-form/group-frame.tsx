/** The frames of fields that contain fields: their names and errors, their rows, and the focus after a change. */
import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "#client/app/ui/button.tsx";
import type { Part } from "./draft.ts";
import type { SchemaFieldProps } from "./schema-field-props.ts";

export function GroupFrame(
  props: Pick<SchemaFieldProps, "id" | "place" | "field" | "errors"> & {
    root: React.Ref<HTMLFieldSetElement>;
    children: ReactNode;
  },
) {
  const { id, place, field, errors, root, children } = props;
  // The page's heading is the name of the whole form.
  const isForm = place === "";
  const error = errors.get(place);
  const text = error ?? field.hint;
  return (
    <fieldset
      ref={root}
      id={id + place}
      tabIndex={-1}
      aria-describedby={text === "" ? undefined : `${id}${place}-hint`}
      className={`min-w-0 scroll-mt-24 space-y-4 ${isForm ? "" : "border-l-2 pl-4"} ${error === undefined ? "border-line" : "border-bad"}`}
    >
      <legend className={isForm ? "sr-only" : "mb-2 text-sm font-semibold"}>{field.label}</legend>
      {text !== "" && (
        <p
          id={`${id}${place}-hint`}
          className={`text-sm ${error === undefined ? "text-muted" : "text-bad"}`}
        >
          {text}
        </p>
      )}
      {children}
    </fieldset>
  );
}

/** An item or an entry, with the button that removes it. */
export function Row(props: {
  part: Part;
  what: string;
  isFixed?: boolean;
  /** It has several controls; the button stands below them, which leaves them the whole width. */
  isTall?: boolean;
  onRemove(): void;
  children: ReactNode;
}) {
  return (
    <div
      data-part={props.part.key}
      className={props.isTall === true ? "space-y-3" : "flex flex-wrap items-start gap-2"}
    >
      <div className="min-w-48 flex-1">{props.children}</div>
      <Button disabled={props.isFixed} onClick={props.onRemove} className="py-2">
        {props.isTall === true ? (
          `Remove ${props.what}`
        ) : (
          <span>
            Remove<span className="sr-only"> {props.what}</span>
          </span>
        )}
      </Button>
    </div>
  );
}

export const CONTROLS = "input, select, textarea";

/** Moves the focus after the next change: to what was added, or away from what is gone. */
export function useFocus() {
  const ref = useRef<HTMLFieldSetElement>(null);
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    ref.current?.querySelector<HTMLElement>(wanted.current)?.focus();
    wanted.current = undefined;
  });
  return { ref, focus: (selector: string) => void (wanted.current = selector) };
}
