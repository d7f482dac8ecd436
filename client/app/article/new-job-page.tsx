import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import {
  type ArticleFields,
  checkFields,
  type FieldErrors,
  fieldsFrom,
  samplesOf,
  serverErrors,
} from "./form.ts";
import { STRATEGIES, WRITERS } from "./labels.ts";
import { baseUrl } from "#client/app/base.ts";
import type { NewPageProps } from "#client/app/kind-parts.ts";
import { fieldErrorsOf, REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { useWriters } from "./use-writers.ts";
import { Button } from "#client/app/ui/button.tsx";
import { Card } from "#client/app/ui/card.tsx";
import { SelectField, TextField } from "#client/app/ui/field.tsx";
import { OptionsFields, useOptions } from "#client/app/ui/options-fields.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useJobwire } from "#client/lib/react.tsx";
import type { QueueOptions } from "#shared/create-options.ts";
import type { ArticleInput, LlmProvider } from "#shared/article/article.ts";

const optionsOf = (words: Record<string, string>) =>
  Object.entries(words).map(([value, text]) => ({ value, text }));

function writerOptions(writers: readonly LlmProvider[] | undefined) {
  return optionsOf(WRITERS).map((option) => {
    const has = option.value === "auto" || writers?.includes(option.value as LlmProvider) !== false;
    const needs = option.value === "compatible" ? "needs a server address" : "needs a key";
    return has ? option : { ...option, text: `${option.text} (${needs})`, disabled: true };
  });
}

export default function NewJobPage({ above }: NewPageProps) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const query = useSearch();
  const writers = useWriters();
  const [fields, setFields] = useState<ArticleFields>(() => fieldsFrom(query, baseUrl));
  const [errors, setErrors] = useState<FieldErrors>({});
  const keyOf = useCreationKey();
  const options = useOptions();
  const create = useMutation({
    mutationFn({ input, options: given }: { input: ArticleInput; options: QueueOptions }) {
      const asked = { kind: "article", input, ...given };
      return trpc.job.create.mutate({ ...asked, idempotencyKey: keyOf(asked) });
    },
    onSuccess: ({ id }) => navigate(`/jobs/${id}`),
    onError: (error) => setErrors(serverErrors(fieldErrorsOf(error))),
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const { input, errors: wrong } = checkFields(fields);
    setErrors(wrong ?? {});
    const given = options.read();
    if (input !== undefined) {
      if (given !== undefined) create.mutate({ input, options: given });
      return;
    }
    const [first] = Object.keys(wrong);
    event.currentTarget.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
  }

  const field = (name: keyof ArticleFields) => ({
    id: name,
    name,
    value: fields[name],
    error: errors[name],
    onChange: (event: { target: { value: string } }) =>
      setFields((before) => ({ ...before, [name]: event.target.value })),
  });

  return (
    <>
      <PageHeader title="New article" above={above} />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <form
          noValidate
          onSubmit={submit}
          className="space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7"
        >
          {create.error !== null && Object.keys(errors).length === 0 && (
            <Notice tone="bad" title="The job could not be created">
              {requestErrorMessage(create.error, REPEAT_CREATE)}
            </Notice>
          )}
          <TextField
            {...field("publisherDomain")}
            label="Publisher"
            hint="The site that publishes the article; a path is fine"
            autoComplete="off"
            inputMode="url"
          />
          <TextField
            {...field("targetUrl")}
            label="Target"
            hint="The page that the article links to"
            type="url"
            autoComplete="off"
          />
          <TextField
            {...field("anchorText")}
            label="Anchor text"
            hint="The text of the link"
            autoComplete="off"
          />
          <div className="grid gap-5 sm:grid-cols-2">
            <SelectField
              {...field("llmProvider")}
              label="Writer"
              options={writerOptions(writers)}
            />
            <SelectField
              {...field("writingStrategy")}
              label="Strategy"
              options={optionsOf(STRATEGIES)}
            />
          </div>
          <TextField
            {...field("country")}
            label="Country (optional)"
            hint="Two letters, such as SE"
            maxLength={2}
            autoComplete="off"
          />
          <OptionsFields {...options.form} />
          <Button type="submit" tone="primary" disabled={create.isPending} className="px-5 py-2">
            {create.isPending ? "Creating…" : "Create job"}
          </Button>
        </form>
        <aside aria-label="Help" className="space-y-6">
          <Card title="What happens">
            <ol className="list-decimal space-y-2 pl-5 text-sm">
              <li>Both pages are read: their subject, language and tone.</li>
              <li>An article is written for the publisher that links to the target.</li>
              <li>It is checked. If a check fails, it waits for your decision.</li>
            </ol>
            <p className="mt-3 text-sm text-muted">
              For many at once,{" "}
              <Link
                href="/batches/new/article"
                className="text-accent underline underline-offset-2"
              >
                create a batch
              </Link>
              .
            </p>
          </Card>
          <Card title="Samples">
            <p className="mb-3 text-sm text-muted">
              Sample pages of this server, which need no network and no API key.
            </p>
            <ul className="space-y-2">
              {samplesOf(baseUrl).map((sample) => (
                <li key={sample.name}>
                  <Button
                    className="w-full justify-start"
                    onClick={() => {
                      setFields(sample.fields);
                      setErrors({});
                    }}
                  >
                    {sample.name}
                  </Button>
                </li>
              ))}
            </ul>
          </Card>
        </aside>
      </div>
    </>
  );
}
