import { z } from "zod";
import { MakerSchema } from "./checked-caller.schema.ts";
import { ILL_FORMED, isWellFormed } from "./cut-text.ts";
import { MAX_VIEWER_CHARS } from "./limits.ts";
import { schemaFor } from "./schema-for.ts";
import { isStreamName } from "./scopes.ts";
import type { ShareAsked, ShareLink } from "./share.ts";
import { TimeSchema } from "./time.schema.ts";

export const ShareLinkSchema = schemaFor<ShareLink>()(
  z.object({
    id: z.uuid(),
    tenant: z.string(),
    stream: z.string().refine(isStreamName),
    maker: MakerSchema,
    createdAt: TimeSchema,
    expiresAt: TimeSchema,
  }),
);

export const ShareAskedSchema = schemaFor<ShareAsked>()(
  z.object({
    expiresIn: z.int().min(1).optional(),
    link: z.boolean().default(false),
    viewer: z
      .string()
      .min(1)
      .max(MAX_VIEWER_CHARS)
      .refine(isWellFormed, `It ${ILL_FORMED}.`)
      .optional(),
  }),
);
