import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { samplesOf } from "./form.ts";
import { csvOf, type CsvFile, listed, readCsv } from "./csv.ts";
import { pluralize } from "#shared/pluralize.ts";
import { baseUrl } from "#client/app/base.ts";
import type { NewPageProps } from "#client/app/kind-parts.ts";
import { REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { Button } from "#client/app/ui/button.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { CsvColumns } from "./csv-columns.tsx";
import { CsvEncoding } from "./csv-encoding.tsx";
import { CsvField } from "./csv-field.tsx";
import { CsvPreview } from "./csv-preview.tsx";
import { TextField } from "#client/app/ui/field.tsx";
import { OptionsFields, useOptions } from "#client/app/ui/options-fields.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { useCsvText } from "./use-csv-text.ts";
import { useWriters } from "./use-writers.ts";
import { useJobwire } from "#client/lib/react.tsx";
import type { QueueOptions } from "#shared/create-options.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { MAX_BATCH_NAME_CHARS } from "#shared/limits.ts";

/** Bad rows that the summary names; the preview shows the others. */
const MOST_NAMED = 20;

const NOTHING: CsvFile = { rows: [], ignored: [], problem: undefined };

export default function NewBatchPage({ above }: NewPageProps) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const csv = useCsvText();
  const { text, loaded } = csv;
  const source = useDeferredValue(text);
  const writers = useWriters();
  const file = useMemo<CsvFile>(
    () => (source.trim() === "" ? NOTHING : readCsv(source, writers)),
    [source, writers],
  );
  const keyOf = useCreationKey();
  const options = useOptions();
  const bad = file.rows.filter(({ input }) => input === undefined);
  const tooMany = file.rows.length > MAX_BATCH_JOBS;
  const create = useMutation({
    mutationFn(given: QueueOptions) {
      const asked = {
        ...given,
        ...(name.trim() === "" ? {} : { name: name.trim() }),
        jobs: file.rows.map(({ input }) => ({ kind: "article", input })),
      };
      return trpc.batch.create.mutate({ ...asked, idempotencyKey: keyOf(asked) });
    },
    onSuccess: ({ id }) => navigate(`/batches/${id}`),
  });
  const ready = file.rows.length > 0 && bad.length === 0 && !tooMany && source === text;

  async function load(chosen: File) {
    if (!(await csv.load(chosen))) return;
    setName((before) => (before === "" ? chosen.name.replace(/\.(?:csv|tsv|txt)$/i, "") : before));
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const given = options.read();
    if (ready && given !== undefined) create.mutate(given);
  }

  return (
    <>
      <PageHeader title="New batch" above={above} />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <form onSubmit={submit} className="min-w-0 space-y-6">
          <div className="space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7">
            <TextField
              id="name"
              label="Name (optional)"
              value={name}
              maxLength={MAX_BATCH_NAME_CHARS}
              autoComplete="off"
              onChange={(event) => setName(event.target.value)}
            />
            <CsvField text={text} onEdit={csv.edit} onFile={(chosen) => void load(chosen)} />
            <OptionsFields {...options.form} />
          </div>

          <div aria-live="polite" className="space-y-4">
            {loaded !== undefined && <CsvEncoding loaded={loaded} />}
            {file.problem !== undefined && (
              <Notice tone="bad" title="The CSV text cannot be used">
                {file.problem}
              </Notice>
            )}
            {tooMany && (
              <Notice tone="bad" title="Too many rows">
                A batch holds {MAX_BATCH_JOBS} jobs at most; these are {file.rows.length}.
              </Notice>
            )}
            {bad.length > 0 && (
              <Notice
                tone="bad"
                title={`${bad.length} of ${pluralize(file.rows.length, "row")} cannot be used`}
              >
                A batch is created with all of its rows or not at all. Correct these above:{" "}
                {bad
                  .slice(0, MOST_NAMED)
                  .map(({ line }) => `line ${line}`)
                  .join(", ")}
                {bad.length > MOST_NAMED ? ` and ${bad.length - MOST_NAMED} more.` : "."}
              </Notice>
            )}
            {file.ignored.length > 0 && (
              <Notice tone="info" title="Some columns are not used">
                {listed(file.ignored)}. See “Columns” for the recognised names.
              </Notice>
            )}
            {create.error !== null && (
              <Notice tone="bad" title="The batch could not be created">
                {requestErrorMessage(create.error, REPEAT_CREATE)}
              </Notice>
            )}
          </div>

          {file.rows.length > 0 && <CsvPreview rows={file.rows} bad={bad} />}
          <Button
            type="submit"
            tone="primary"
            disabled={!ready || create.isPending}
            className="px-5 py-2"
          >
            {create.isPending
              ? "Creating…"
              : `Create batch${file.rows.length > 0 ? ` of ${file.rows.length}` : ""}`}
          </Button>
        </form>
        <aside aria-label="Help">
          <Card title="Columns">
            <CsvColumns writers={writers} />
            <Button className="mt-4 w-full" onClick={() => csv.replace(csvOf(samplesOf(baseUrl)))}>
              Fill in sample rows
            </Button>
          </Card>
        </aside>
      </div>
    </>
  );
}
