/** What a client asks for, read from whatever it sent. */
import type { z } from "zod";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import {
  LEGACY_REQUEST,
  LegacyBatchRequest,
  type LegacyIds,
  LegacyJobRequest,
} from "#shared/legacy.ts";

export interface Request {
  action: "subscribe" | "unsubscribe";
  stream: "job" | "batch";
  id: string;
  /** The same under the name that the client knows it by. */
  ids: LegacyIds;
}

const JobRequest = LegacyJobRequest.transform((ids) => ({ ids, id: ids.job_id }));
const BatchRequest = LegacyBatchRequest.transform((ids) => ({ ids, id: ids.batch_id }));

interface Form extends Pick<Request, "action" | "stream"> {
  schema: z.ZodType<Pick<Request, "id" | "ids">>;
}

const FORMS: ReadonlyMap<unknown, Form> = new Map<string, Form>([
  [LEGACY_REQUEST.subscribeJob, { action: "subscribe", stream: "job", schema: JobRequest }],
  [LEGACY_REQUEST.unsubscribeJob, { action: "unsubscribe", stream: "job", schema: JobRequest }],
  [LEGACY_REQUEST.subscribeBatch, { action: "subscribe", stream: "batch", schema: BatchRequest }],
  [
    LEGACY_REQUEST.unsubscribeBatch,
    { action: "unsubscribe", stream: "batch", schema: BatchRequest },
  ],
]);

/**
 * Throws `BAD_REQUEST`, which says what would have been right. That includes names that are not known: whoever
 * mistypes one would otherwise wait for ever.
 */
export function readRequest(name: unknown, payload: unknown): Request {
  const form = FORMS.get(name);
  if (form === undefined) {
    const names = [...FORMS.keys()].join(", ");
    throw new AppError("BAD_REQUEST", `${shown(name)} is not known here. Known are ${names}.`);
  }
  const { action, stream, schema } = form;
  const parsed = schema.safeParse(payload);
  if (!parsed.success) {
    throw new AppError(
      "BAD_REQUEST",
      `${shown(name)} takes an object with a text of 1 to 200 characters, in well-formed Unicode, in "${stream}_id".`,
    );
  }
  return { action, stream, ...parsed.data };
}

const SHOWN_LENGTH = 40;

function shown(name: unknown): string {
  return `"${cutText(String(name), SHOWN_LENGTH)}"`;
}
