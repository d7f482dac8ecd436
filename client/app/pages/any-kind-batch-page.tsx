/** A new batch of a kind that the page has no form for: its inputs as a JSON array. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { NewPageProps } from "#client/app/kind-parts.ts";
import { REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { readJson } from "#shared/read-text.ts";
import { simplified, skeletonOf } from "#shared/json-schema.ts";
import { Button } from "#client/app/ui/button.tsx";
import { AreaField, TextField } from "#client/app/ui/field.tsx";
import { KindCard } from "#client/app/ui/kind-card.tsx";
import { OptionsFields, useOptions } from "#client/app/ui/options-fields.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { useJobwire } from "#client/lib/react.tsx";
import type { KindInfo } from "#shared/api.ts";
import type { QueueOptions } from "#shared/create-options.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { MAX_BATCH_NAME_CHARS } from "#shared/limits.ts";

export function AnyKindBatchPage({ info, above }: NewPageProps & { info: KindInfo }) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const [text, setText] = useState(() =>
    JSON.stringify([skeletonOf(simplified(info.input))], null, 2),
  );
  const source = useDeferredValue(text);
  const read = useMemo(() => readInputs(source), [source]);
  const keyOf = useCreationKey();
  const options = useOptions();
  const create = useMutation({
    mutationFn({ inputs, options: given }: { inputs: unknown[]; options: QueueOptions }) {
      const asked = {
        ...given,
        ...(name.trim() === "" ? {} : { name: name.trim() }),
        jobs: inputs.map((input) => ({ kind: info.name, input })),
      };
      return trpc.batch.create.mutate({ ...asked, idempotencyKey: keyOf(asked) });
    },
    onSuccess: ({ id }) => navigate(`/batches/${id}`),
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    const given = options.read();
    if (given === undefined) return;
    if ("inputs" in read && source === text) create.mutate({ inputs: read.inputs, options: given });
  }

  return (
    <>
      <PageHeader title={`New batch: ${info.name}`} above={above} />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <form
          onSubmit={submit}
          className="min-w-0 space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7"
        >
          {create.error !== null && (
            <Notice tone="bad" title="The batch could not be created">
              {requestErrorMessage(create.error, REPEAT_CREATE)}
            </Notice>
          )}
          <TextField
            id="name"
            label="Name (optional)"
            value={name}
            maxLength={MAX_BATCH_NAME_CHARS}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
          <AreaField
            id="inputs"
            label="Inputs"
            hint="A JSON array with the input of each job"
            error={"error" in read ? read.error : undefined}
            rows={10}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="font-mono text-sm"
          />
          <OptionsFields {...options.form} />
          <Button
            type="submit"
            tone="primary"
            disabled={"error" in read || source !== text || create.isPending}
            className="px-5 py-2"
          >
            {create.isPending
              ? "Creating…"
              : `Create batch${"inputs" in read ? ` of ${read.inputs.length}` : ""}`}
          </Button>
        </form>
        <KindCard info={info} />
      </div>
    </>
  );
}

function readInputs(text: string): { inputs: unknown[] } | { error: string } {
  const read = readJson(text);
  if ("error" in read) return read;
  if (!Array.isArray(read.value)) return { error: "Is no array: put the inputs in [ and ]" };
  if (read.value.length === 0) return { error: "Has no input" };
  return read.value.length > MAX_BATCH_JOBS
    ? { error: `A batch holds ${MAX_BATCH_JOBS} jobs at most; these are ${read.value.length}` }
    : { inputs: read.value };
}
