/** The record of an API key. The key itself is shown once, and stored as its SHA-256 only. */
import { z } from "zod";
import { isWellFormed } from "./cut-text.ts";
import { MAX_API_KEY_LABEL_CHARS, MAX_API_KEY_SCOPES, MAX_PRINCIPAL_CHARS } from "./limits.ts";
import { Scope, isStreamScope } from "./scopes.ts";
import { Time } from "./time.ts";

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
  return Scope.safeParse(text).success || isStreamScope(text);
}

const KeyScope = z.string().refine(isKeyScope, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no scope. There are ${Scope.options.join(", ")}, job:<id>:read and batch:<id>:read`,
});

/** What its maker says of it. */
export const ApiKeyRequest = z.object({
  tenant: Name,
  /** The user in whose name the key acts: the name of a program. */
  user: Name,
  scopes: z
    .array(KeyScope)
    .min(1, "needs one scope at least: a key without scopes permits nothing")
    .max(MAX_API_KEY_SCOPES),
  /** For people. */
  label: line(MAX_API_KEY_LABEL_CHARS).default(""),
  expiresAt: Time.nullable().default(null),
});
export type ApiKeyRequest = z.infer<typeof ApiKeyRequest>;

export const ApiKey = ApiKeyRequest.extend({
  id: z.uuid(),
  createdAt: Time,
  /** Written at most once a minute. */
  lastUsedAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

export type ApiKeyState = "valid" | "expired" | "revoked";

export function stateOf(
  { revokedAt, expiresAt }: Pick<ApiKey, "revokedAt" | "expiresAt">,
  now: Date,
): ApiKeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "valid";
}
