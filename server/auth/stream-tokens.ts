/**
 * Checks stream tokens, which let a caller read one job or batch. Some are share links: those count while the engine has them,
 * and it knows who made them.
 */
import { z } from "zod";
import type { ShareLinkStore } from "#server/engine/contract.ts";
import { MakerSchema } from "#shared/checked-caller.schema.ts";
import type { CheckedCaller, Maker } from "#shared/checked-caller.ts";
import { PrincipalSchema } from "#shared/principal.schema.ts";
import { isStreamName } from "#shared/scopes.ts";
import type { CredentialCheck } from "./credential-check.ts";
import { Refusal, toAppError } from "./token-refusal.ts";
import { STREAM_TOKEN, type TokenSigner } from "./token-signer.ts";

/** Unlike those of other tokens they name one stream in place of scopes, and the maker or the link. */
export const StreamClaims = z.object({
  sub: PrincipalSchema.shape.userId,
  tenant: PrincipalSchema.shape.tenantId,
  /** `job:<id>` or `batch:<id>`. */
  stream: z.string().refine(isStreamName),
  by: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("maker"), maker: MakerSchema }),
    z.object({ kind: z.literal("link"), id: z.uuid() }),
  ]),
});
export type StreamClaims = z.infer<typeof StreamClaims>;

/**
 * Rejects with `UNAUTHENTICATED` or `TOKEN_EXPIRED` for a token that does not count, and with `UNAVAILABLE` if that cannot be
 * found out. Its `cause` says why, for the log.
 */
export type VerifyStreamToken = (token: string) => Promise<CheckedCaller>;

interface StreamTokensOptions {
  signer: Pick<TokenSigner, "verify">;
  links: Pick<ShareLinkStore, "find">;
  check: CredentialCheck;
  now: () => Date;
}

export function createStreamTokenVerifier({
  signer,
  links,
  check,
  now,
}: StreamTokensOptions): VerifyStreamToken {
  /** Throws a `Refusal` for a link that was switched off. */
  async function makerOf({ tenant, stream, by }: StreamClaims): Promise<Maker> {
    if (by.kind === "maker") return by.maker;
    const [link] = await links.find([{ tenant, stream, id: by.id }], now());
    if (link === undefined) throw toAppError(new Refusal("the share link was switched off"));
    return link.maker;
  }

  return async (token) => {
    const payload = await signer.verify(STREAM_TOKEN, token);
    const parsed = StreamClaims.safeParse(payload);
    if (!parsed.success) throw toAppError(new Refusal("its claims are not those of this version"));
    const { sub, tenant, stream, by } = parsed.data;
    const maker = await makerOf(parsed.data);
    const refusal = await check(tenant, maker);
    if (refusal !== undefined) throw toAppError(new Refusal(refusal));
    return {
      userId: sub,
      tenantId: tenant,
      scopes: [`${stream}:read`],
      expiresAt: (payload.exp ?? 0) * 1000,
      credential: maker.credential,
      maker,
      ...(by.kind === "link" && { link: { tenant, stream, id: by.id } }),
    };
  };
}
