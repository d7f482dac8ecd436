import { z } from "zod";
import { CredentialRefSchema } from "./checked-caller.schema.ts";
import { ErrorCodeSchema } from "./errors.schema.ts";
import { PrincipalSchema } from "./principal.schema.ts";
import { schemaFor } from "./schema-for.ts";
import type { SignedIn, SignIn, SignInRefused, SignInWays } from "./sign-in.ts";

export const SignInSchema = schemaFor<SignIn>()(
  z.object({
    id: z.string(),
    principal: PrincipalSchema,
    credential: CredentialRefSchema,
    madeAt: z.number(),
    usedAt: z.number(),
    expiresAt: z.number(),
    endsAt: z.number(),
  }),
);

const SignInWaysSchema = schemaFor<SignInWays>()(
  z.object({
    methods: z.array(z.enum(["oidc", "token"])),
    provider: z.object({ name: z.string(), url: z.string() }).optional(),
  }),
);

export const SignedInSchema = schemaFor<SignedIn>()(
  SignInWaysSchema.extend({
    user: z.string(),
    tenant: z.string(),
    scopes: z.array(z.string()),
    expiresAt: z.number().optional(),
    byCookie: z.boolean(),
  }),
);

export const SignInRefusedSchema = schemaFor<SignInRefused>()(
  SignInWaysSchema.extend({
    error: z.object({
      code: ErrorCodeSchema,
      message: z.string(),
      retryAfterMs: z.number().optional(),
    }),
  }),
);
