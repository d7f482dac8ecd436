/** A new job of a kind that the page has no form for: a form from the schema of its input, or the input as JSON. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useMemo, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { fieldErrorsOf, REPEAT_CREATE, requestErrorMessage } from "#client/app/request-error.ts";
import { type Draft, initialDraft } from "#client/app/schema-form/draft.ts";
import { type Field, formOf } from "#client/app/schema-form/fields.ts";
import {
  draftOfInput,
  type FieldErrors,
  makeInput,
  placeErrors,
} from "#client/app/schema-form/input.ts";
import { focusError, SchemaField } from "#client/app/schema-form/schema-fields.tsx";
import { simplified, skeletonOf } from "#shared/json-schema.ts";
import { readJson } from "#shared/read-text.ts";
import { Button } from "#client/app/ui/button.tsx";
import { AreaField } from "#client/app/ui/field.tsx";
import { KindCard } from "#client/app/ui/kind-card.tsx";
import { OptionsFields, useOptions } from "#client/app/ui/options-fields.tsx";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { useCreationKey } from "#client/app/use-creation-key.ts";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import type { KindInfo } from "#shared/api.ts";
import type { QueueOptions } from "#shared/create-options.ts";
import type { NewPageProps } from "#client/app/kind-parts.ts";

interface OfKind extends NewPageProps {
  info: KindInfo;
}

/** `?from=<id>` in the address begins with the input of that job. */
export function AnyKindJobPage(props: OfKind) {
  const { trpc } = useJobwire();
  const [params] = useSearchParams();
  const from = params.get("from");
  const { data, isPending } = useQuery({
    queryKey: ["jobwire", "job", from],
    queryFn: () => trpc.job.get.query({ jobId: from ?? "" }),
    enabled: from !== null,
    ...UNTIL_ANSWERED,
  });
  if (from !== null && isPending) return <Skeleton rows={6} />;
  const given = data?.kind === props.info.name ? data.input : undefined;
  return <NewJob key={from} {...props} given={given} />;
}

type Edited = { as: "form"; draft: Draft } | { as: "json"; text: string };

const asJson = (value: unknown): Edited => ({ as: "json", text: JSON.stringify(value, null, 2) });

/** `given`: the input to begin with. */
function begin(info: KindInfo, form: Field | undefined, given: unknown): Edited {
  if (given === undefined) {
    if (form === undefined) return asJson(skeletonOf(simplified(info.input)));
    return { as: "form", draft: initialDraft(form) };
  }
  const draft = form && draftOfInput(form, given);
  return draft === undefined ? asJson(given) : { as: "form", draft };
}

const NO_ERRORS: FieldErrors = new Map();

function NewJob({ info, above, given }: OfKind & { given: unknown }) {
  const { trpc } = useJobwire();
  const [, navigate] = useLocation();
  const id = useId();
  const form = useMemo(() => formOf(info.input), [info]);
  const [edited, setEdited] = useState(() => begin(info, form, given));
  const [errors, setErrors] = useState(NO_ERRORS);
  /** Of the input as a whole. */
  const [problem, setProblem] = useState<string>();
  const keyOf = useCreationKey();
  const options = useOptions();
  const create = useMutation({
    mutationFn({ input, options: given }: { input: unknown; options: QueueOptions }) {
      const asked = { kind: info.name, input, ...given };
      return trpc.job.create.mutate({ ...asked, idempotencyKey: keyOf(asked) });
    },
    onSuccess: (job) => navigate(`/jobs/${job.id}`),
  });
  const isJson = edited.as === "json";

  function edit(next: Edited) {
    setEdited(next);
    setProblem(undefined);
  }

  function switchView() {
    if (form === undefined) return;
    create.reset();
    setErrors(NO_ERRORS);
    if (edited.as === "form") return edit(asJson(makeInput(form, edited.draft).input ?? null));
    const read = readJson(edited.text);
    const draft = "value" in read ? draftOfInput(form, read.value) : undefined;
    if (draft !== undefined) return edit({ as: "form", draft });
    setProblem("error" in read ? read.error : "Has what the form cannot show");
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    setErrors(NO_ERRORS);
    setProblem(undefined);
    const given = options.read();
    if (given === undefined) return;
    if (edited.as === "json") {
      const read = readJson(edited.text);
      if ("value" in read) return create.mutate({ input: read.value, options: given });
      setProblem(read.error);
      return document.getElementById(id)?.focus();
    }
    if (form === undefined) return;
    const { draft } = edited;
    const made = makeInput(form, draft);
    if (made.errors.size > 0) return show(made.errors);
    create.mutate(
      { input: made.input, options: given },
      { onError: (error) => show(placeErrors(form, draft, fieldErrorsOf(error)).errors) },
    );
  }

  function show(wrong: FieldErrors) {
    setErrors(wrong);
    focusError(id, wrong);
  }

  const others =
    edited.as === "form" && form !== undefined
      ? placeErrors(form, edited.draft, fieldErrorsOf(create.error)).others
      : [];
  return (
    <>
      <PageHeader title={`New job: ${info.name}`} above={above}>
        {form !== undefined && (
          <Button
            aria-pressed={isJson}
            onClick={switchView}
            className="aria-pressed:border-accent aria-pressed:text-accent"
          >
            Edit as JSON
          </Button>
        )}
      </PageHeader>
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <form
          noValidate
          onSubmit={submit}
          className="min-w-0 space-y-5 rounded-2xl border border-line bg-card p-5 sm:p-7"
        >
          {create.error !== null && (errors.size === 0 || others.length > 0) && (
            <Notice tone="bad" title="The job could not be created">
              {others.length > 0
                ? others.join("\n")
                : requestErrorMessage(create.error, REPEAT_CREATE)}
            </Notice>
          )}
          {edited.as === "form" ? (
            form && (
              <SchemaField
                id={id}
                place=""
                field={form}
                draft={edited.draft}
                errors={errors}
                onChange={(draft) => edit({ as: "form", draft })}
              />
            )
          ) : (
            <AreaField
              id={id}
              label="Input"
              hint="As JSON"
              error={problem}
              rows={10}
              spellCheck={false}
              value={edited.text}
              onChange={(event) => edit({ as: "json", text: event.target.value })}
              className="font-mono text-sm"
            />
          )}
          <OptionsFields {...options.form} />
          <Button type="submit" tone="primary" disabled={create.isPending} className="px-5 py-2">
            {create.isPending ? "Creating…" : "Create job"}
          </Button>
        </form>
        <KindCard info={info} />
      </div>
    </>
  );
}
