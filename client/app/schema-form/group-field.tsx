/** The fields that contain fields: objects, arrays, records and unions. */
import type { ComponentType } from "react";
import { Button } from "#client/app/ui/button.tsx";
import { SelectField, TextField } from "#client/app/ui/field.tsx";
import {
  addPart,
  changePart,
  choose,
  emptyDraft,
  givenDraft,
  type Group,
  initialDraft,
  removePart,
} from "./draft.ts";
import { type Field, type GroupControl, isGroup } from "./fields.ts";
import { CONTROLS, GroupFrame, Row, useFocus } from "./group-frame.tsx";
import { nameOf, placeOf } from "./input.ts";
import type { SchemaFieldProps } from "./schema-field-props.ts";

export interface GroupProps<C extends GroupControl = GroupControl> extends SchemaFieldProps {
  control: C;
  draft: Group;
  /** Shows the fields within: they may be groups, too. */
  Inner: ComponentType<SchemaFieldProps>;
}
type Of<Is extends GroupControl["is"]> = GroupProps<Extract<GroupControl, { is: Is }>>;

export function GroupField({ control, ...rest }: GroupProps) {
  switch (control.is) {
    case "object":
      return <ObjectField {...rest} control={control} />;
    case "array":
      return <ArrayField {...rest} control={control} />;
    case "record":
      return <RecordField {...rest} control={control} />;
    case "union":
      return <UnionField {...rest} control={control} />;
  }
}

function ObjectField(props: Of<"object">) {
  const { field, control, draft, onChange } = props;
  const add = `Add ${field.title}`;
  const remove = `Remove ${field.title}`;
  const root = useFocus();
  const isOptional = !field.isRequired || field.isNullable;
  const fields = draft.given && <Fields {...props} control={control} />;
  return (
    <GroupFrame {...props} root={root.ref}>
      {fields}
      {isOptional && (
        <Button
          data-toggle
          onClick={() => {
            root.focus(draft.given ? ":scope > [data-toggle]" : CONTROLS);
            onChange(draft.given ? emptyDraft(field) : givenDraft(control));
          }}
        >
          {draft.given ? remove : add}
        </Button>
      )}
    </GroupFrame>
  );
}

function Fields({ control, draft, Inner, onChange, ...rest }: Of<"object">) {
  if (control.fields.length === 0 && rest.place === "") {
    return <p className="text-muted">This kind takes no input.</p>;
  }
  return control.fields.map((field, index) => {
    const part = draft.parts[index];
    return (
      part && (
        <Inner
          {...rest}
          key={field.name}
          field={field}
          isBare={false}
          place={placeOf(rest.place, part)}
          draft={part.draft}
          onChange={(changed) => onChange(changePart(draft, part.key, { draft: changed }))}
        />
      )
    );
  });
}

function ArrayField(props: Of<"array">) {
  const { field, control, draft, Inner, onChange } = props;
  const { item, fewest, most } = control;
  const root = useFocus();
  const canBeEmpty = !field.isRequired || field.isNullable;

  function add() {
    root.focus(`:scope > [data-part="${draft.next}"] :is(${CONTROLS})`);
    let group = addPart(draft, initialDraft(item));
    while (group.parts.length < fewest) group = addPart(group, initialDraft(item));
    onChange(group);
  }

  return (
    <GroupFrame {...props} root={root.ref}>
      {draft.parts.map((part, index) => (
        <Row
          key={part.key}
          part={part}
          what={`${field.title} ${index + 1}`}
          isTall={isGroup(item.control)}
          isFixed={draft.parts.length <= fewest && !canBeEmpty}
          onRemove={() => {
            root.focus(":scope > [data-add]");
            onChange(removePart(draft, part.key));
          }}
        >
          <Inner
            {...props}
            field={{
              ...item,
              label: `${field.title} ${index + 1}`,
              title: `${field.title} ${index + 1}`,
            }}
            isBare
            place={placeOf(props.place, part)}
            draft={part.draft}
            onChange={(changed) => onChange(changePart(draft, part.key, { draft: changed }))}
          />
        </Row>
      ))}
      <Button data-add disabled={draft.parts.length >= most} onClick={add}>
        Add to {field.title}
      </Button>
    </GroupFrame>
  );
}

function RecordField(props: Of<"record">) {
  const { field, control, draft, errors, id, Inner, onChange } = props;
  const root = useFocus();
  return (
    <GroupFrame {...props} root={root.ref}>
      {draft.parts.map((part, index) => {
        const place = placeOf(props.place, part);
        const what = `${field.title} ${index + 1}`;
        return (
          <Row
            key={part.key}
            part={part}
            what={what}
            isTall
            onRemove={() => {
              root.focus(":scope > [data-add]");
              onChange(removePart(draft, part.key));
            }}
          >
            <div className="grid gap-3 sm:grid-cols-2">
              <TextField
                id={id + nameOf(place)}
                label={`${what}: name`}
                error={errors.get(nameOf(place))}
                autoComplete="off"
                aria-required
                value={part.name}
                onChange={({ target }) =>
                  onChange(changePart(draft, part.key, { name: target.value }))
                }
              />
              <Inner
                {...props}
                field={{ ...control.value, label: `${what}: value`, title: `${what}: value` }}
                isBare={false}
                place={place}
                draft={part.draft}
                onChange={(changed) => onChange(changePart(draft, part.key, { draft: changed }))}
              />
            </div>
          </Row>
        );
      })}
      <Button
        data-add
        disabled={draft.parts.length >= control.most}
        onClick={() => {
          root.focus(`:scope > [data-part="${draft.next}"] :is(${CONTROLS})`);
          onChange(addPart(draft, initialDraft(control.value)));
        }}
      >
        Add to {field.title}
      </Button>
    </GroupFrame>
  );
}

function UnionField(props: Of<"union">) {
  const { field, control, draft, errors, id, place, isBare = false, Inner, onChange } = props;
  const { options } = control;
  const [part] = draft.parts;
  const chosen = options[draft.chosen]?.field;
  const isNeeded = field.isRequired && !field.isNullable;
  return (
    <div className="space-y-4">
      <SelectField
        id={id + place}
        label={field.label}
        isBare={isBare && place !== ""}
        hint={field.hint}
        error={errors.get(place)}
        aria-required={isNeeded}
        value={String(draft.chosen)}
        options={[
          { value: "-1", text: isNeeded ? "Choose…" : "None" },
          ...options.map(({ label }, index) => ({ value: String(index), text: label })),
        ]}
        onChange={({ target }) => onChange(choose(draft, options, Number(target.value)))}
      />
      {chosen && part && (
        <Inner
          {...props}
          key={part.key}
          field={labelled(chosen, `${field.title}: ${options[draft.chosen]?.label}`)}
          isBare={false}
          place={placeOf(place, part)}
          draft={part.draft}
          onChange={(changed) => onChange(changePart(draft, part.key, { draft: changed }))}
        />
      )}
    </div>
  );
}

const labelled = (field: Field, title: string): Field => ({ ...field, title, label: title });
