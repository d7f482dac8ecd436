/**
 * The token of a lease, as workers send it: the engine's token, the attempt, and the length of the lease. No process has to remember
 * them, so a worker goes on after a restart and at another gateway. It is no secret: who may call is decided before, and the
 * engine decides which token holds the job.
 */
import { AppError } from "#shared/errors.ts";

export interface Lease {
  token: number;
  attempt: number;
  leaseMs: number;
}

const FORM = /^(\d{1,16})\.(\d{1,10})\.(\d{1,10})$/;

export function textOfLease({ token, attempt, leaseMs }: Lease): string {
  return `${token}.${attempt}.${leaseMs}`;
}

/** Throws `BAD_REQUEST` for a text that is none. */
export function leaseIn(text: string): Lease {
  const [whole, token, attempt, leaseMs] = FORM.exec(text) ?? [];
  if (whole === undefined || !Number.isSafeInteger(Number(token))) {
    const message = "The token is none of this server. Send the one that came with the job.";
    throw new AppError("BAD_REQUEST", message, { issues: [{ path: ["token"], message }] });
  }
  return { token: Number(token), attempt: Number(attempt), leaseMs: Number(leaseMs) };
}
