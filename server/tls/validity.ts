/** Warns of certificates that clients refuse, or soon will. */
import type { X509Certificate } from "node:crypto";

const DAY_MS = 24 * 3_600_000;
/** Most programs that renew certificates do so when a third of their time is left. */
const LAST_PART = 1 / 3;
const LAST_DAYS_MS = 7 * DAY_MS;

export type Validity = "early" | "valid" | "ending" | "expired";

/** `ending`: in its last seven days, or in the last third of a shorter life. */
export function validityOf(certificate: X509Certificate, now: Date): Validity {
  const { validFromDate: from, validToDate: to } = certificate;
  if (now < from) return "early";
  if (now > to) return "expired";
  const lifetime = to.getTime() - from.getTime();
  const left = to.getTime() - now.getTime();
  return left < Math.min(LAST_DAYS_MS, lifetime * LAST_PART) ? "ending" : "valid";
}

/** Messages for the log, which has the dates beside them. */
export const VALIDITY_WARNINGS: Record<Exclude<Validity, "valid">, string> = {
  early:
    "The certificate of TLS_CERT_FILE is not valid yet, and clients refuse it: check the clock of this machine",
  ending: "The certificate of TLS_CERT_FILE expires soon: renew it",
  expired: "The certificate of TLS_CERT_FILE has expired, and clients refuse it: renew it",
};
