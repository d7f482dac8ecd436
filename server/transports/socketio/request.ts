/** Parses a client's request, which is untrusted input. */
import type { z } from "zod";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import {
  AuthRefreshSchema,
  LegacyBatchRequestSchema,
  LegacyFeedRequestSchema,
  LegacyJobRequestSchema,
  LegacyPresenceRequestSchema,
} from "#shared/legacy.schema.ts";
import { AUTH_REFRESH, LEGACY_REQUEST, LEGACY_TYPING } from "#shared/legacy.ts";
import { LEGACY_WAITING } from "#shared/legacy-waiting.ts";
import { MAX_TOKEN_CHARS } from "#shared/limits.ts";
import { topicOf } from "#shared/presence.ts";
import type { SessionStreamRef } from "#shared/stream-ref.ts";

export interface Request {
  action: "subscribe" | "unsubscribe" | "type" | "stop typing" | "why waiting";
  ref: SessionStreamRef;
}

interface Form {
  action: Request["action"];
  /** For people: what the payload must be. */
  takes: string;
  schema: z.ZodType<SessionStreamRef>;
}

type Names = Pick<Form, "takes" | "schema">;
const ID = "a text of 1 to 200 characters, in well-formed Unicode";
const JOB: Names = {
  takes: `an object with ${ID}, in "job_id"`,
  schema: LegacyJobRequestSchema.transform(({ job_id }) => ({ stream: "job", jobId: job_id })),
};
const BATCH: Names = {
  takes: `an object with ${ID}, in "batch_id"`,
  schema: LegacyBatchRequestSchema.transform(({ batch_id }) => ({
    stream: "batch",
    batchId: batch_id,
  })),
};
const PRESENCE: Names = {
  takes: `an object with ${ID}, in "job_id" or "batch_id", or with neither`,
  schema: LegacyPresenceRequestSchema.transform(({ job_id, batch_id }) => ({
    stream: "presence",
    topic: topicOf({ jobId: job_id, batchId: batch_id }),
  })),
};

const FEED: Names = {
  takes: 'an object, with `true` or `false` in "all_owners" if it has that field',
  schema: LegacyFeedRequestSchema.transform(({ all_owners = false }) => ({
    stream: "feed",
    allOwners: all_owners,
  })),
};

const FORMS: ReadonlyMap<unknown, Form> = new Map<string, Form>([
  [LEGACY_REQUEST.subscribeJob, { action: "subscribe", ...JOB }],
  [LEGACY_REQUEST.unsubscribeJob, { action: "unsubscribe", ...JOB }],
  [LEGACY_REQUEST.subscribeBatch, { action: "subscribe", ...BATCH }],
  [LEGACY_REQUEST.unsubscribeBatch, { action: "unsubscribe", ...BATCH }],
  [LEGACY_REQUEST.subscribePresence, { action: "subscribe", ...PRESENCE }],
  [LEGACY_REQUEST.unsubscribePresence, { action: "unsubscribe", ...PRESENCE }],
  [LEGACY_TYPING.start, { action: "type", ...JOB }],
  [LEGACY_TYPING.stop, { action: "stop typing", ...JOB }],
  [LEGACY_WAITING, { action: "why waiting", ...JOB }],
  [LEGACY_REQUEST.subscribeFeed, { action: "subscribe", ...FEED }],
  [LEGACY_REQUEST.unsubscribeFeed, { action: "unsubscribe", ...FEED }],
]);

/**
 * Throws `BAD_REQUEST` with a message that shows the correct form, even for an unknown event name: a client that mistypes
 * one would otherwise wait forever.
 */
export function readRequest(name: unknown, payload: unknown): Request {
  const form = FORMS.get(name);
  if (form === undefined) {
    const names = [...FORMS.keys(), AUTH_REFRESH].join(", ");
    throw new AppError(
      "BAD_REQUEST",
      `${shown(name)} is not an event of this server. Use ${names}.`,
    );
  }
  const { action, takes, schema } = form;
  const parsed = schema.safeParse(payload);
  if (!parsed.success) throw new AppError("BAD_REQUEST", `${shown(name)} takes ${takes}.`);
  return { action, ref: parsed.data };
}

/** Returns the token of an `auth:refresh`. Throws `BAD_REQUEST` like `readRequest`. */
export function readRefresh(payload: unknown): string {
  const parsed = AuthRefreshSchema.safeParse(payload);
  if (parsed.success) return parsed.data.token;
  throw new AppError(
    "BAD_REQUEST",
    `"${AUTH_REFRESH}" takes an object with a text of 1 to ${MAX_TOKEN_CHARS} characters in "token".`,
  );
}

const SHOWN_LENGTH = 40;

function shown(name: unknown): string {
  return `"${cutText(String(name), SHOWN_LENGTH)}"`;
}
