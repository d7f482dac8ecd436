/** The files of the server's own TLS. */
import type { X509Certificate } from "node:crypto";
import { checkKeyPair } from "#server/tls/key-pair.ts";
import { readPemFiles } from "#server/tls/pem-files.ts";
import { validityOf } from "#server/tls/validity.ts";
import type { KeyPairFiles } from "#server/tls/variables.ts";
import { type Advice, fail, type Finding, ok, warn } from "#shared/finding.ts";

const NAME = "certificate";
const TLS: Advice[1] = "docs/tls.md#renewal";

export async function checkCertificate(files: KeyPairFiles, now: Date): Promise<Finding[]> {
  const checked = checkKeyPair(await readPemFiles(files), files);
  if ("problems" in checked) {
    return checked.problems.map((line) =>
      fail(NAME, line, ["The server does not start with it.", "docs/tls.md#tls"]),
    );
  }
  return [validity(checked.pair.certificate, now)];
}

function validity(certificate: X509Certificate, now: Date): Finding {
  const { validFromDate: from, validToDate: to, subjectAltName = "no name" } = certificate;
  const until = `valid until ${dayOf(to)}, for ${subjectAltName}`;
  switch (validityOf(certificate, now)) {
    case "early":
      return fail(NAME, `is not valid before ${dayOf(from)}`, [
        "Check the clock of this machine.",
        TLS,
      ]);
    case "expired":
      return fail(NAME, `expired on ${dayOf(to)}: clients refuse it`, ["Renew it.", TLS]);
    case "ending":
      return warn(NAME, until, ["Renew it: it expires soon.", TLS]);
    case "valid":
      return ok(NAME, until);
  }
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
