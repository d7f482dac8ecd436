/** The certificate that clients see, whichever program of the way has it. */
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { messageOf } from "#shared/errors.ts";
import { type Advice, fail, type Finding, ok, warn } from "#shared/finding.ts";
import { whyBroken } from "./ask.ts";
import { type Target, tlsOptionsOf } from "./target.ts";

const NAME = "certificate";
const DOC: Advice[1] = "docs/troubleshooting.md#a-certificate-is-refused";
const DAY_MS = 24 * 3_600_000;
const LAST_DAYS = 7;

/** `isGood`: a client would accept it. */
export async function checkPeerCertificate(
  { url, trusted }: Pick<Target, "url" | "trusted">,
  now: Date,
  signal: AbortSignal,
): Promise<{ finding: Finding; isGood: boolean }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  let socket: TLSSocket;
  try {
    socket = await connected(host, Number(url.port || 443), { trusted, signal });
  } catch (error) {
    const finding = fail(NAME, `no TLS (${whyBroken(error)})`, [
      "Does the port speak https? A plain one is named http://HOST:PORT.",
      DOC,
    ]);
    return { finding, isGood: false };
  }
  const certificate = socket.getPeerCertificate();
  const facts = { protocol: socket.getProtocol() ?? "TLS", alpn: socket.alpnProtocol };
  const error: unknown = socket.authorizationError;
  socket.destroy();
  if (error !== undefined && error !== null) {
    return { finding: refused(codeOf(error), certificate, host), isGood: false };
  }
  return { finding: validity(certificate, facts, now), isGood: true };
}

function connected(
  host: string,
  port: number,
  { trusted, signal }: { trusted: Target["trusted"]; signal: AbortSignal },
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...tlsOptionsOf({ trusted, verifies: false }),
      ALPNProtocols: ["h2", "http/1.1"],
      // A name of the host, where it has one: addresses are no server names.
      ...(/[a-z]/i.test(host) && !host.includes(":") && { servername: host }),
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(socket));
    signal.addEventListener("abort", () => socket.destroy(new Error("no handshake in time")));
  });
}

/** Node gives the code of OpenSSL as a text, and that of a wrong name as an error. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : messageOf(error);
}

const REMEDIES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "Renew it.",
  CERT_NOT_YET_VALID: "Check the clocks of the server and of this machine.",
  ERR_TLS_CERT_ALTNAME_INVALID: "Get a certificate for this name, or use the name that it has.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "Serve the certificates of its issuers after it: the full chain. If its authority is your own, trust that: --ca FILE.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "Serve the certificates of its issuers after it, or trust its authority: --ca FILE.",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "Clients must trust it: NODE_EXTRA_CA_CERTS for Node, --ca FILE for this command.",
  SELF_SIGNED_CERT_IN_CHAIN:
    "Clients must trust its authority: NODE_EXTRA_CA_CERTS for Node, --ca FILE for this command.",
};

function refused(code: string, certificate: PeerCertificate, host: string): Finding {
  const names = certificate.subjectaltname ?? "no name";
  const found = `clients refuse it for ${host}: ${code} (it is for ${names}, until ${certificate.valid_to})`;
  return fail(NAME, found, [REMEDIES[code] ?? "Replace it, or let clients trust it.", DOC]);
}

function validity(
  { valid_to: to, subjectaltname: names = "no name" }: PeerCertificate,
  { protocol, alpn }: { protocol: string; alpn: string | false | null },
  now: Date,
): Finding {
  const days = Math.floor((Date.parse(to) - now.getTime()) / DAY_MS);
  const http = alpn === "h2" ? "HTTP/2 to the proxy" : "HTTP/1.1";
  const found = `good for ${days} more days, for ${names}; ${protocol}, ${http}`;
  if (days >= LAST_DAYS) return ok(NAME, found);
  return warn(NAME, found, ["Renew it.", DOC]);
}
