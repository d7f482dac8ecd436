/** Reads the fragment of a share link's address. Pure. Nothing is checked here: the server checks the token. */

export interface SharedStream {
  token: string;
  stream: "job" | "batch";
  id: string;
}

/** The path of the addresses of share links, from the base on. The token is their fragment, which browsers send to no server. */
export const SHARE_PATH = "/share";

const STREAM = /^(job|batch):([\da-f-]{36})$/;

/** `undefined` for what is no share link. */
export function sharedStreamOf(hash: string): SharedStream | undefined {
  const token = hash.replace(/^#/, "");
  const [, payload = ""] = token.split(".");
  try {
    const text = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const { stream } = JSON.parse(text) as { stream?: unknown };
    const [, kind, id] = STREAM.exec(String(stream)) ?? [];
    if ((kind !== "job" && kind !== "batch") || id === undefined) return undefined;
    return { token, stream: kind, id };
  } catch {
    return undefined;
  }
}
