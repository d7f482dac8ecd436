/**
 * The calls that the command makes over the control socket: `POST /v1/keys.create` with JSON, and JSON back. Each version
 * of the server speaks one version of them.
 */
import { isAbsolute } from "node:path";
import { z } from "zod";
import { ApiKeySchema, ApiKeyRequestSchema } from "#shared/api-key.schema.ts";
import { AuditActionSchema, AuditEntrySchema } from "#shared/audit.schema.ts";
import { ErrorCodeSchema } from "#shared/errors.schema.ts";
import { CheckedUserSchema, UserPageSchema, UserQuerySchema } from "#shared/known-user.schema.ts";

import { RevokedSchema, RevocationRequestSchema } from "#shared/revocation.schema.ts";
import { ScheduleSummarySchema } from "#shared/schedule.schema.ts";
import {
  MAX_KIND_CHARS,
  MAX_PAGE_CURSOR_CHARS,
  MAX_PAGE_ITEMS,
  MAX_PAUSE_NOTE_CHARS,
  MAX_PRINCIPAL_CHARS,
  MAX_WORKER_ID_CHARS,
} from "#shared/limits.ts";
import { PauseSchema } from "#shared/pause.schema.ts";
import { WorkerPageSchema, WorkerSchema } from "#shared/worker.schema.ts";

export const CONTROL_VERSION = "v1";

/** Linux takes no longer ones. */
const MAX_PATH_CHARS = 4096;

export interface Call<I, O> {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  /** It may take minutes, so its answer is waited for as long as the server lives. */
  lasts: boolean;
}

function define<I, O>(
  name: string,
  input: z.ZodType<I>,
  output: z.ZodType<O>,
  { lasts = false } = {},
): Call<I, O> {
  return { name, input, output, lasts };
}

const Page = z.object({
  tenant: z.string().max(MAX_PRINCIPAL_CHARS).optional(),
  cursor: z.string().max(MAX_PAGE_CURSOR_CHARS).optional(),
  limit: z.int().min(1).max(MAX_PAGE_ITEMS),
});

export const CREATE_KEY = define(
  "keys.create",
  ApiKeyRequestSchema,
  z.object({ key: z.string(), record: ApiKeySchema }),
);
export const LIST_KEYS = define(
  "keys.list",
  Page,
  z.object({ items: z.array(ApiKeySchema), nextCursor: z.string().nullable() }),
);
export const REVOKE_KEY = define("keys.revoke", z.object({ id: z.uuid() }), ApiKeySchema);
export const LIST_USERS = define("users.list", UserQuerySchema, UserPageSchema);
export const REVOKE = define("revoke", RevocationRequestSchema, RevokedSchema);

export const ASSIGN = define(
  "jobs.assign",
  CheckedUserSchema,
  z.object({
    moved: z.int(),
    unsettled: z.object({ count: z.int(), some: z.array(z.string()) }),
    schedules: z
      .object({
        moved: z.int(),
        left: z.array(
          z.object({ id: z.string(), key: z.string(), why: z.enum(["busy", "taken", "full"]) }),
        ),
      })
      // A server of an earlier version gives none.
      .default({ moved: 0, left: [] }),
  }),
);

const ScheduleRef = z.object({ id: z.uuid() });
export const LIST_SCHEDULES = define(
  "schedules.list",
  Page.extend({ owner: z.string().max(MAX_PRINCIPAL_CHARS).optional() }),
  z.object({ items: z.array(ScheduleSummarySchema), nextCursor: z.string().nullable() }),
);
export const PAUSE_SCHEDULE = define("schedules.pause", ScheduleRef, ScheduleSummarySchema);
export const RESUME_SCHEDULE = define("schedules.resume", ScheduleRef, ScheduleSummarySchema);
export const TRIGGER_SCHEDULE = define("schedules.trigger", ScheduleRef, ScheduleSummarySchema);
export const DELETE_SCHEDULE = define("schedules.delete", ScheduleRef, ScheduleSummarySchema);

const Scope = z.object({
  tenant: z.string().min(1).max(MAX_PRINCIPAL_CHARS).optional(),
  kind: z.string().min(1).max(MAX_KIND_CHARS).optional(),
});
export const LIST_PAUSES = define("pauses.list", z.object({}), z.array(PauseSchema));
export const SET_PAUSE = define(
  "pauses.set",
  Scope.extend({ note: z.string().max(MAX_PAUSE_NOTE_CHARS).optional() }),
  PauseSchema,
);
export const REMOVE_PAUSE = define("pauses.remove", Scope, PauseSchema);

const WorkerRef = z.object({ id: z.string().max(MAX_WORKER_ID_CHARS) });
export const LIST_WORKERS = define("workers.list", Page.omit({ tenant: true }), WorkerPageSchema);
export const DRAIN_WORKER = define("workers.drain", WorkerRef, WorkerSchema);
export const RESUME_WORKER = define("workers.resume", WorkerRef, WorkerSchema);

/** `at` is a text in JSON. */
const Item = AuditEntrySchema.extend({
  id: z.string(),
  at: z.iso.datetime().transform((text) => new Date(text)),
});
export const LIST_AUDIT = define(
  "audit.list",
  Page.extend({
    tenant: z.string().max(MAX_PRINCIPAL_CHARS),
    user: z.string().max(MAX_PRINCIPAL_CHARS).optional(),
    action: AuditActionSchema.optional(),
  }),
  z.object({ items: z.array(Item), nextCursor: z.string().nullable() }),
);

/** `lasts`: with the size of the data. The path is one of the server's machine. */
export const MAKE_BACKUP = define(
  "backup.make",
  z.object({ path: z.string().max(MAX_PATH_CHARS).refine(isAbsolute, "is no absolute path") }),
  z.object({ bytes: z.int() }),
  { lasts: true },
);

/** The answer to a call that failed. */
export const ControlError = z.object({
  error: z.object({ code: ErrorCodeSchema, message: z.string() }),
});

/** The first fault of an input, as a sentence: `scopes.0: "x" is no scope`. */
export function faultOf({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.map(String).join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "is not valid"}`;
}
