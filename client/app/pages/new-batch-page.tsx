import { useMutation } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type DragEvent, type FormEvent, useDeferredValue, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { type CsvFile, type CsvRow, nameOf, readCsv } from "#client/app/csv.ts";
import { counted } from "#client/app/article-words.ts";
import { CREATE_AGAIN, whyNot } from "#client/app/failure.ts";
import { Button } from "#client/app/ui/button.tsx";
import { TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { useWriters } from "#client/app/use-writers.ts";
import { useJobwire } from "#client/lib/react.tsx";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";

/** Rows of the preview; bad ones are always shown. */
const PREVIEW = 20;

export default function NewBatchPage() {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [dragging, setDragging] = useState(false);
  const source = useDeferredValue(text);
  const writers = useWriters();
  const file = useMemo<CsvFile>(
    () => (source.trim() === "" ? { rows: [], problem: undefined } : readCsv(source, writers)),
    [source, writers],
  );
  const keyOf = useCreationKey();
  const bad = file.rows.filter(({ input }) => input === undefined);
  const tooMany = file.rows.length > MAX_BATCH_JOBS;
  const create = useMutation({
    mutationFn() {
      const asked = {
        ...(name.trim() === "" ? {} : { name: name.trim() }),
        jobs: file.rows.map(({ input }) => ({ kind: "article", input })),
      };
      return trpc.batch.create.mutate({ ...asked, idempotencyKey: keyOf(asked) });
    },
    onSuccess: ({ id }) => navigate(`/batches/${id}`),
  });
  const ready = file.rows.length > 0 && bad.length === 0 && !tooMany && source === text;

  async function load(chosen: File | undefined) {
    if (chosen === undefined) return;
    setText(await chosen.text());
    setName((before) => (before === "" ? chosen.name.replace(/\.csv$/i, "") : before));
  }

  function onDrop(event: DragEvent) {
    event.preventDefault();
    setDragging(false);
    void load(event.dataTransfer.files[0]);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (ready) create.mutate();
  }

  return (
    <>
      <PageHeader title="New batch" />
      <form onSubmit={submit} className="space-y-6">
        <div className="max-w-2xl space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7">
          <p className="text-muted">
            One row for each article. The first line names the columns: <code>publisher</code>,{" "}
            <code>target</code> and <code>anchor</code>, and if you like <code>llm_provider</code>,{" "}
            <code>strategy</code> and <code>country</code>.
          </p>
          <TextField
            id="name"
            label="Name (optional)"
            value={name}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
          <div
            onDragOver={(event) => {
              event.preventDefault();
              setDragging(true);
            }}
            onDragLeave={() => setDragging(false)}
            onDrop={onDrop}
          >
            <label htmlFor="csv" className="mb-1 block text-sm font-medium">
              CSV
            </label>
            <textarea
              id="csv"
              rows={8}
              spellCheck={false}
              value={text}
              aria-describedby="csv-hint"
              placeholder={
                "publisher,target,anchor\nexample.com,https://shop.example/page,the words of the link"
              }
              onChange={(event) => setText(event.target.value)}
              className={`w-full rounded-lg border bg-page px-3 py-2 font-mono text-sm placeholder:text-muted ${
                dragging ? "border-accent ring-2 ring-accent" : "border-line"
              }`}
            />
            <div
              id="csv-hint"
              className="mt-1 flex flex-wrap items-center gap-x-3 text-sm text-muted"
            >
              <span>Paste rows here, drop a file, or</span>
              <label className="inline-flex cursor-pointer items-center gap-1.5 font-medium text-accent underline underline-offset-2 focus-within:outline-2 focus-within:outline-offset-2">
                <FileUp aria-hidden className="size-4" />
                choose a file
                <input
                  type="file"
                  accept=".csv,text/csv,text/plain"
                  className="sr-only"
                  onChange={(event) => void load(event.target.files?.[0])}
                />
              </label>
            </div>
          </div>
        </div>

        <div aria-live="polite" className="space-y-4">
          {file.problem !== undefined && (
            <Notice tone="bad" title="This is not usable yet">
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
              title={`${bad.length} of ${counted(file.rows.length, "row")} cannot be used`}
            >
              A batch is created with all of its rows or not at all. Correct these above:{" "}
              {bad
                .slice(0, PREVIEW)
                .map(({ line }) => `line ${line}`)
                .join(", ")}
              {bad.length > PREVIEW ? ` and ${bad.length - PREVIEW} more.` : "."}
            </Notice>
          )}
          {create.error !== null && (
            <Notice tone="bad" title="That did not work">
              {whyNot(create.error, CREATE_AGAIN)}
            </Notice>
          )}
        </div>

        {file.rows.length > 0 && <Preview rows={file.rows} bad={bad} />}
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
    </>
  );
}

function Preview({ rows, bad }: { rows: CsvRow[]; bad: CsvRow[] }) {
  const shown = bad.length > 0 ? bad.slice(0, PREVIEW * 5) : rows.slice(0, PREVIEW);
  const left = (bad.length > 0 ? bad.length : rows.length) - shown.length;
  return (
    <section aria-label="Rows" className="rounded-2xl border border-line bg-card p-5">
      <h2 className="mb-3 text-base font-semibold">
        {bad.length > 0
          ? "Rows to correct"
          : `${counted(rows.length, "row")} ${rows.length === 1 ? "is" : "are"} ready`}
      </h2>
      <ul aria-label="Preview of the rows" className="divide-y divide-line text-sm">
        {shown.map((row) => (
          <PreviewRow key={row.line} row={row} />
        ))}
      </ul>
      {left > 0 && <p className="mt-3 text-sm text-muted">And {left} more.</p>}
    </section>
  );
}

function PreviewRow({ row: { line, fields, errors } }: { row: CsvRow }) {
  return (
    <li className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-4 py-2">
      <span className="row-span-2 font-medium tabular-nums">Line {line}</span>
      <span className="grid min-w-0 gap-x-4 sm:grid-cols-3">
        {(["publisherDomain", "targetUrl", "anchorText"] as const).map((field) => (
          <span key={field} title={fields[field]} className="truncate">
            <span className="sr-only">{nameOf(field)}: </span>
            {fields[field]}
          </span>
        ))}
      </span>
      {Object.keys(errors).length > 0 && (
        <span className="min-w-0 text-bad">
          {Object.entries(errors).map(([field, message]) => (
            <span key={field} className="block break-words">
              <span className="font-medium">{nameOf(field)}:</span> {message}
            </span>
          ))}
        </span>
      )}
    </li>
  );
}
