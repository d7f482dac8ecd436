import { useMutation } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type DragEvent, type FormEvent, useDeferredValue, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { samplesOf } from "#client/app/article-form.ts";
import { csvOf, type CsvFile, readCsv } from "#client/app/csv.ts";
import { counted } from "#shared/counted.ts";
import { CREATE_AGAIN, whyNot } from "#client/app/failure.ts";
import { Button } from "#client/app/ui/button.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { CsvPreview } from "#client/app/ui/csv-preview.tsx";
import { TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { useWriters } from "#client/app/use-writers.ts";
import { useJobwire } from "#client/lib/react.tsx";
import { LlmProvider, WritingStrategy } from "#shared/article.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";

/** Of bad rows: the others are in the preview. */
const MOST_NAMED = 20;

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
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <form onSubmit={submit} className="min-w-0 space-y-6">
          <div className="space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7">
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
                  .slice(0, MOST_NAMED)
                  .map(({ line }) => `line ${line}`)
                  .join(", ")}
                {bad.length > MOST_NAMED ? ` and ${bad.length - MOST_NAMED} more.` : "."}
              </Notice>
            )}
            {create.error !== null && (
              <Notice tone="bad" title="That did not work">
                {whyNot(create.error, CREATE_AGAIN)}
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
          <Card title="What the file says">
            <Columns writers={writers} />
            <Button className="mt-4 w-full" onClick={() => setText(csvOf(samplesOf(location)))}>
              Fill in sample rows
            </Button>
          </Card>
        </aside>
      </div>
    </>
  );
}

const anyOf = (words: readonly string[]) => `${words.join(", ")}; may be left out`;

function Columns({ writers }: { writers: readonly string[] | undefined }) {
  const columns: Record<string, string> = {
    publisher: "The site that publishes the article; a path is fine",
    target: "The page that it links to",
    anchor: "The words of the link",
    llm_provider: anyOf(writers === undefined ? LlmProvider.options : ["auto", ...writers]),
    strategy: anyOf(WritingStrategy.options),
    country: "Two letters; may be left out",
  };
  return (
    <>
      <p className="mb-3 text-sm text-muted">
        One row for each article, below a line that names the columns:
      </p>
      <dl className="space-y-2 text-sm">
        {Object.entries(columns).map(([name, meaning]) => (
          <div key={name}>
            <dt className="font-mono font-medium">{name}</dt>
            <dd className="text-muted">{meaning}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
