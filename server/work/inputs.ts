/** The inputs of calls of workers. */
import { z } from "zod";
import { JobId, Text } from "#server/jobs/inputs.ts";
import {
  MAX_DELAY_MS,
  MAX_ERROR_CODE_CHARS,
  MAX_ERROR_CHARS,
  MAX_KIND_CHARS,
} from "#shared/limits.ts";
import {
  MAX_DRAFT_PIECE_CHARS,
  MAX_WORK_JOBS,
  MAX_WORK_KINDS,
  MAX_WORK_WAIT_MS,
  MIN_WORK_LEASE_MS,
} from "#shared/work.ts";

export const WorkAsked = z.object({
  kinds: z.array(z.string().min(1).max(MAX_KIND_CHARS)).min(1).max(MAX_WORK_KINDS),
  max: z.int().min(1).max(MAX_WORK_JOBS).default(1),
  waitMs: z.int().min(0).max(MAX_WORK_WAIT_MS).default(MAX_WORK_WAIT_MS),
  leaseMs: z.int().min(MIN_WORK_LEASE_MS).optional(),
});

export const JobHeld = JobId.extend({ token: z.string().max(100) });

/** Longer ones are cut where they are stored. */
const Message = Text.max(MAX_ERROR_CHARS);

export const Progress = JobHeld.extend({
  percent: z.number().min(0).max(100),
  message: Message,
  details: z.unknown().optional(),
});
export const DraftPiece = JobHeld.extend({
  text: Text.max(MAX_DRAFT_PIECE_CHARS),
  at: z.int().min(0).optional(),
});
export const Delivery = JobHeld.extend({
  output: z.unknown(),
  message: Message.default("Delivered"),
});
export const Block = JobHeld.extend({ output: z.unknown(), message: Message });
export const Failing = JobHeld.extend({
  code: Text.min(1).max(MAX_ERROR_CODE_CHARS).default("FAILED"),
  message: Message,
  retry: z.boolean().default(false),
  retryAfterMs: z.int().min(0).max(MAX_DELAY_MS).optional(),
});
