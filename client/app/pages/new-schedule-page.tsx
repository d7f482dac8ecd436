/** A new schedule by an expression of cron. Programs can make those of the other ways to name times. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { fieldErrorsOf, REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { readJson } from "#client/app/schema-form/input.ts";
import { simplified, skeletonOf } from "#client/app/schema-form/schema.ts";
import { Button } from "#client/app/ui/button.tsx";
import { AreaField, SelectField, TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useKinds } from "#client/app/use-kinds.ts";
import { useJobwire } from "#client/lib/react.tsx";
import type { KindInfo } from "#shared/api.ts";
import { MAX_CRON_CHARS, MAX_KEY_CHARS, MAX_TIME_ZONE_CHARS } from "#shared/limits.ts";

export function NewSchedulePage() {
  const { kinds, error } = useKinds();
  const [first] = kinds ?? [];
  return (
    <>
      <PageHeader title="New schedule" />
      {error !== null && (
        <Notice tone="bad" title="The kinds of jobs could not be loaded">
          {requestErrorMessage(error)}
        </Notice>
      )}
      {kinds === undefined && error === null && <Skeleton rows={6} />}
      {kinds !== undefined && first === undefined && <p>This server has no kind of job.</p>}
      {kinds !== undefined && first !== undefined && <NewSchedule kinds={kinds} first={first} />}
    </>
  );
}

const inputOf = ({ input }: KindInfo) => JSON.stringify(skeletonOf(simplified(input)), null, 2);

function NewSchedule({ kinds, first }: { kinds: readonly KindInfo[]; first: KindInfo }) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const id = useId();
  const [fields, setFields] = useState({
    kind: first.name,
    key: "",
    cron: "0 3 * * *",
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    input: inputOf(first),
  });
  const [problem, setProblem] = useState<string>();
  const create = useMutation({
    mutationFn: (input: unknown) => trpc.schedule.upsert.mutate({ ...fields, input }),
    onSuccess: () => navigate("/schedules"),
  });
  const faults = fieldErrorsOf(create.error);
  const faultOf = (name: string) => faults[name]?.join(" ");
  const ofInput = Object.entries(faults)
    .filter(([path]) => path === "input" || path.startsWith("input."))
    .map(([path, texts]) => `${path}: ${texts.join(" ")}`);

  function change(given: Partial<typeof fields>) {
    setFields((before) => ({ ...before, ...given }));
    setProblem(undefined);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const read = readJson(fields.input);
    if ("value" in read) return create.mutate(read.value);
    setProblem(read.error);
  }

  return (
    <form
      noValidate
      onSubmit={submit}
      className="max-w-2xl space-y-3 rounded-2xl border border-line bg-card p-5 sm:p-7"
    >
      {create.error !== null && (
        <Notice tone="bad" title="The schedule could not be created">
          {requestErrorMessage(create.error, REPEAT_CREATE)}
        </Notice>
      )}
      <SelectField
        id={`${id}-kind`}
        label="Kind"
        options={kinds.map(({ name }) => ({ value: name, text: name }))}
        value={fields.kind}
        onChange={({ target: { value } }) => {
          const info = kinds.find(({ name }) => name === value) ?? first;
          change({ kind: info.name, input: inputOf(info) });
        }}
      />
      <TextField
        id={`${id}-key`}
        label="Name"
        hint="One that you have already is changed"
        error={faultOf("key")}
        maxLength={MAX_KEY_CHARS}
        value={fields.key}
        onChange={(event) => change({ key: event.target.value })}
      />
      <TextField
        id={`${id}-cron`}
        label="Times"
        hint="Minute, hour, day of the month, month and day of the week, as cron has them"
        error={faultOf("cron")}
        maxLength={MAX_CRON_CHARS}
        spellCheck={false}
        value={fields.cron}
        onChange={(event) => change({ cron: event.target.value })}
      />
      <TextField
        id={`${id}-zone`}
        label="Time zone"
        error={faultOf("timeZone")}
        maxLength={MAX_TIME_ZONE_CHARS}
        spellCheck={false}
        value={fields.timeZone}
        onChange={(event) => change({ timeZone: event.target.value })}
      />
      <AreaField
        id={`${id}-input`}
        label="Input"
        hint="As JSON"
        error={problem ?? (ofInput.length > 0 ? ofInput.join("\n") : undefined)}
        rows={6}
        spellCheck={false}
        value={fields.input}
        onChange={(event) => change({ input: event.target.value })}
        className="font-mono text-sm"
      />
      <Button type="submit" tone="primary" disabled={create.isPending} className="px-5 py-2">
        {create.isPending ? "Creating…" : "Create schedule"}
      </Button>
    </form>
  );
}
