/** The server that is checked, as clients reach it. */
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";

export interface Target {
  /** The address of the page: `https://jobs.example.com/path`. */
  url: URL;
  /** Sent only to a server whose certificate is good. */
  token?: string | undefined;
  /** The certificates that are trusted. Absent: those of the machine. */
  trusted?: SecureContext | undefined;
  /** `false`: its certificate is not checked, because another check tells of it. */
  verifies: boolean;
}

/** `path` begins with a slash. */
export function addressOf({ url }: Pick<Target, "url">, path: string): URL {
  const [pathname = "", query = ""] = path.split("?");
  const address = new URL(url);
  const base = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  address.pathname = base + pathname;
  address.search = query;
  return address;
}

/** Options of Node's clients of TLS. */
export function tlsOptionsOf({ trusted, verifies }: Pick<Target, "trusted" | "verifies">) {
  return { rejectUnauthorized: verifies, ...(trusted !== undefined && { secureContext: trusted }) };
}

/** `ca`: certificates in PEM form, in addition to those that Node trusts by itself. Throws for other text. */
export function trusting(ca: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates("default"), ca] });
}

export function authorization({ token }: Pick<Target, "token">): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
