import { useMutation } from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import {
  type ArticleFields,
  checkFields,
  type FieldErrors,
  sampleFields,
  serverErrors,
} from "#client/app/article-form.ts";
import { Button } from "#client/app/ui/button.tsx";
import { SelectField, TextField } from "#client/app/ui/field.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { useJobwire } from "#client/lib/react.tsx";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { ArticleInput } from "#shared/article.ts";

const WRITERS = [
  ["auto", "Best available"],
  ["offline", "Offline (quotes both pages, no key needed)"],
  ["anthropic", "Anthropic"],
  ["openai", "OpenAI"],
  ["google", "Google"],
  ["compatible", "OpenAI-compatible server"],
] as const;
const STRATEGIES = [
  ["multi_stage", "In stages: plan, sections, polish"],
  ["single_shot", "In one go"],
] as const;

export function NewJobPage() {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const [fields, setFields] = useState<ArticleFields>(() => sampleFields(location));
  const [errors, setErrors] = useState<FieldErrors>({});
  const create = useMutation({
    mutationFn: (input: ArticleInput) => trpc.job.create.mutate({ kind: "article", input }),
    onSuccess: ({ id }) => navigate(`/jobs/${id}`),
    onError: (error) => setErrors(fieldErrorsOf(error)),
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const { input, errors: wrong } = checkFields(fields);
    setErrors(wrong ?? {});
    if (input !== undefined) return create.mutate(input);
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
      <PageHeader title="New article" />
      <form
        noValidate
        onSubmit={submit}
        className="max-w-2xl space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7"
      >
        <p className="text-muted">
          Jobwire reads both pages, writes an article for the publisher that links to the target,
          and checks it. For many at once,{" "}
          <Link href="/batches/new" className="text-accent underline underline-offset-2">
            create a batch
          </Link>
          .
        </p>
        {create.error !== null && Object.keys(errors).length === 0 && (
          <Notice tone="bad" title="The job was not created">
            {create.error.message}
          </Notice>
        )}
        <TextField
          {...field("publisherDomain")}
          label="Publisher"
          hint="The site that publishes the article, without https://"
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
          hint="The words of the link"
          autoComplete="off"
        />
        <div className="grid gap-5 sm:grid-cols-2">
          <SelectField {...field("llmProvider")} label="Writer" options={WRITERS} />
          <SelectField {...field("writingStrategy")} label="Strategy" options={STRATEGIES} />
        </div>
        <TextField
          {...field("country")}
          label="Country (optional)"
          hint="Two letters, such as SE"
          maxLength={2}
          autoComplete="off"
        />
        <Button type="submit" tone="primary" disabled={create.isPending} className="px-5 py-2">
          {create.isPending ? "Creating…" : "Create job"}
        </Button>
      </form>
    </>
  );
}

function fieldErrorsOf(error: Error): FieldErrors {
  if (!(error instanceof TRPCClientError)) return {};
  const { data } = error as TRPCClientError<AppRouter>;
  return serverErrors(data?.zodError?.fieldErrors ?? {});
}
