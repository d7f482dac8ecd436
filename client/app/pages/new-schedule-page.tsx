/** A new schedule. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { fieldErrorsOf, REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { ENTERED_FIRST, timesOf } from "#client/app/schedule-times.ts";
import { readJson } from "#shared/read-text.ts";
import { simplified, skeletonOf } from "#shared/json-schema.ts";
import { Button } from "#client/app/ui/button.tsx";
import { AreaField, SelectField, TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { OptionsFields, useOptions } from "#client/app/ui/options-fields.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { ScheduleTimesFields } from "#client/app/ui/schedule-times-fields.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useKinds } from "#client/app/use-kinds.ts";
import { useJobwire } from "#client/lib/react.tsx";
import type { KindInfo } from "#shared/api.ts";
import { MAX_KEY_CHARS } from "#shared/limits.ts";
import type { StandingOptions } from "#shared/create-options.ts";
import type { MissedPolicy, ScheduleTimes } from "#shared/schedule.ts";

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

const MISSED = [
  { value: "once", text: "One job for all of them" },
  { value: "skip", text: "No job" },
] as const satisfies { value: MissedPolicy; text: string }[];

const inputOf = ({ input }: KindInfo) => JSON.stringify(skeletonOf(simplified(input)), null, 2);

function NewSchedule({ kinds, first }: { kinds: readonly KindInfo[]; first: KindInfo }) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const id = useId();
  const [fields, setFields] = useState({
    kind: first.name,
    key: "",
    missed: "once" as MissedPolicy,
    input: inputOf(first),
  });
  const [entered, setEntered] = useState(ENTERED_FIRST);
  const options = useOptions();
  /** Of the input, and of the times. */
  const [problem, setProblem] = useState<string>();
  const [timesProblem, setTimesProblem] = useState<string>();
  const create = useMutation({
    mutationFn: (given: ScheduleTimes & StandingOptions & { input: unknown }) =>
      trpc.schedule.upsert.mutate({ ...fields, ...given }),
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
    const times = timesOf(entered);
    if ("error" in read) setProblem(read.error);
    if ("problem" in times) setTimesProblem(times.problem);
    const chosen = options.read();
    if ("value" in read && !("problem" in times) && chosen !== undefined) {
      create.mutate({ ...times, ...chosen, input: read.value });
    }
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
      <ScheduleTimesFields
        id={id}
        entered={entered}
        faultOf={(name) => timesProblem ?? faultOf(name)}
        onChange={(changed) => {
          setEntered((before) => ({ ...before, ...changed }));
          setTimesProblem(undefined);
        }}
      />
      <SelectField
        id={`${id}-missed`}
        label="When missed"
        hint="While no server ran, or while the schedule was paused"
        options={MISSED}
        value={fields.missed}
        onChange={({ target: { value } }) => change({ missed: value as MissedPolicy })}
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
      <OptionsFields {...options.form} ofSchedule />
      <Button type="submit" tone="primary" disabled={create.isPending} className="px-5 py-2">
        {create.isPending ? "Creating…" : "Create schedule"}
      </Button>
    </form>
  );
}
