import { z } from "zod";
import type { ApiKey, ApiKeyRequest } from "./api-key.ts";
import { isWellFormed } from "./cut-text.ts";
import { MAX_API_KEY_LABEL_CHARS, MAX_API_KEY_SCOPES, MAX_PRINCIPAL_CHARS } from "./limits.ts";
import { schemaFor } from "./schema-for.ts";
import { isScope, isStreamScope, SCOPES } from "./scopes.ts";
import { TimeSchema } from "./time.schema.ts";

/** Terminals and logs show these texts, so no control character may be in them. */
const CONTROL = /\p{Cc}/u;

function line(maxChars: number) {
  return z
    .string()
    .max(maxChars)
    .refine(isWellFormed, "must be well-formed Unicode")
    .refine((text) => !CONTROL.test(text), "must be one line without control characters");
}

const Name = line(MAX_PRINCIPAL_CHARS).min(1);

/** The scopes that a key can have: those of tokens, and `operator`. */
function isKeyScope(text: string): boolean {
  return isScope(text) || isStreamScope(text);
}

const KeyScope = z.string().refine(isKeyScope, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no scope. There are ${SCOPES.join(", ")}, job:<id>:read and batch:<id>:read`,
});

export const ApiKeyRequestSchema = schemaFor<ApiKeyRequest>()(
  z.object({
    tenant: Name,
    user: Name,
    scopes: z
      .array(KeyScope)
      .min(1, "needs one scope at least: a key without scopes permits nothing")
      .max(MAX_API_KEY_SCOPES),
    label: line(MAX_API_KEY_LABEL_CHARS).default(""),
    expiresAt: TimeSchema.nullable().default(null),
  }),
);

export const ApiKeySchema = schemaFor<ApiKey>()(
  ApiKeyRequestSchema.extend({
    id: z.uuid(),
    createdAt: TimeSchema,
    lastUsedAt: TimeSchema.nullable(),
    revokedAt: TimeSchema.nullable(),
  }),
);
