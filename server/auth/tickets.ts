/**
 * Tickets let an `EventSource`, which cannot send a header, open one stream: the ticket stands in the address. It counts for
 * one path and input, to be opened within 30 s. Once opened it counts while the credential does, for one connection at a time;
 * the engine knows which one, so that it is one in all processes.
 *
 *   issued ──┬─ opened in time ──► opened ──┬─ another connection takes it ──► opened, and the one before ends
 *            └─ not ──► refused             └─ the credential ends, or a day passes ──► refused
 */
import { createHash } from "node:crypto";
import { v4 as randomId } from "uuid";
import { z } from "zod";
import type { TicketStore } from "#server/engine/contract.ts";
import { MakerSchema } from "#shared/checked-caller.schema.ts";
import type { CheckedCaller } from "#shared/checked-caller.ts";
import { AppError } from "#shared/errors.ts";
import { PrincipalSchema } from "#shared/principal.schema.ts";
import type { Principal } from "#shared/principal.ts";
import { isScope } from "#shared/scopes.ts";
import type { Ticket } from "#shared/share.ts";
import type { CredentialCheck } from "./credential-check.ts";
import { entryOf, PROCEDURES, refusalFor, STREAMS } from "./permissions.ts";
import type { Sharer } from "./shares.ts";
import { Refusal, toAppError } from "./token-refusal.ts";
import { TICKET, type TokenSigner } from "./token-signer.ts";

const OPEN_WITHIN_MS = 30_000;
/** Of a ticket whose credential does not end, or ends later. */
const MAX_TICKET_MS = 86_400_000;

const TicketClaims = z.object({
  ...PrincipalSchema.shape,
  path: z.string(),
  /** `hashOfInput` */
  input: z.string(),
  /** Milliseconds since the epoch. */
  openBefore: z.number(),
  /** The credential of its caller. */
  maker: MakerSchema,
  jti: z.uuid(),
});
type TicketClaims = z.infer<typeof TicketClaims>;

/** The one stream that a ticket is for. */
export interface TicketTarget {
  /** `job.onUpdate` */
  path: string;
  input: unknown;
}

export interface Tickets {
  /**
   * Rejects with `BAD_REQUEST` for a path that is no stream, and with `FORBIDDEN` where the caller may not open it, or has a
   * stream token or ticket itself.
   */
  issue(caller: Sharer, target: TicketTarget): Promise<Ticket>;
  /**
   * Gives the ticket to a new connection. Rejects as `VerifyToken` does, also for another target and for a ticket that was not
   * opened in time.
   */
  open(ticket: string, target: TicketTarget): Promise<CheckedCaller>;
}

interface TicketsOptions {
  signer: TokenSigner;
  store: Pick<TicketStore, "take">;
  check: CredentialCheck;
  now: () => Date;
}

export function createTickets({ signer, store, check, now }: TicketsOptions): Tickets {
  return {
    async issue({ principal, credential, signInId, maker, expiresAt = Infinity }, target) {
      const { path, input } = target;
      if (maker !== undefined || credential === undefined) {
        throw new AppError("FORBIDDEN", "What is shared can issue no tickets.");
      }
      if (!STREAMS.has(entryOf(path))) {
        throw new AppError("BAD_REQUEST", `A ticket opens one of ${[...STREAMS].join(", ")}.`);
      }
      const refusal = refusalFor(principal, PROCEDURES, path);
      if (refusal !== undefined) throw refusal;
      const at = now().getTime();
      const end = Math.floor(Math.min(expiresAt, at + MAX_TICKET_MS) / 1000);
      const openBefore = Math.min(at + OPEN_WITHIN_MS, end * 1000);
      const { userId, tenantId } = principal;
      const claims: TicketClaims = {
        userId,
        tenantId,
        scopes: scopesFor(principal, input),
        path,
        input: hashOfInput(input),
        openBefore,
        maker: { user: userId, credential, ...(signInId !== undefined && { signInId }) },
        jti: randomId(),
      };
      const ticket = await signer.sign(TICKET, { ...claims, sub: userId }, end);
      return { ticket, openBefore: new Date(openBefore), expiresAt: new Date(end * 1000) };
    },

    async open(ticket, { path, input }) {
      const payload = await signer.verify(TICKET, ticket);
      const parsed = TicketClaims.safeParse(payload);
      if (!parsed.success) throw refused("its claims are not those of this version");
      const { maker, jti, openBefore, userId, tenantId, scopes, ...bound } = parsed.data;
      if (bound.path !== path) throw refused(`it is for ${bound.path}, not for ${path}`);
      if (bound.input !== hashOfInput(input)) throw refused("it is for another input");
      const refusal = await check(tenantId, maker);
      if (refusal !== undefined) throw refused(refusal);
      const at = now();
      const ref = { tenant: tenantId, user: userId, id: jti, holder: randomId() };
      const mayOpen = at.getTime() < openBefore;
      const until = new Date((payload.exp ?? 0) * 1000);
      if (!(await store.take({ ...ref, mayOpen, until }, at))) throw refused("it came too late");
      const { credential, signInId } = maker;
      return {
        userId,
        tenantId,
        scopes,
        expiresAt: until.getTime(),
        credential,
        ...(signInId !== undefined && { signInId }),
        ticket: ref,
      };
    },
  };
}

function refused(why: string): AppError {
  const { cause } = toAppError(new Refusal(why));
  return new AppError("UNAUTHENTICATED", "This ticket is not valid. Get another one.", { cause });
}

/** The scopes that the stream may need. A principal can have more of single streams than fit in an address. */
function scopesFor({ scopes }: Principal, input: unknown): string[] {
  const { jobId, batchId } = (input ?? {}) as { jobId?: unknown; batchId?: unknown };
  const own = new Set([`job:${String(jobId)}:read`, `batch:${String(batchId)}:read`]);
  return scopes.filter((scope) => isScope(scope) || own.has(scope));
}

/** Reconnects add `lastEventId` to the input. */
function hashOfInput(input: unknown): string {
  const { lastEventId: _, ...bound } = (input ?? {}) as Record<string, unknown>;
  const text = JSON.stringify(bound, (_name, value: unknown) => sorted(value));
  return createHash("sha256").update(text).digest("base64url");
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
