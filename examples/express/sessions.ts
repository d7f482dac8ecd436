/** Signed sessions: `<user>.<signature>`, in a cookie for browsers and in a header for programs. */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface Sessions {
  /** Returns the session of a user who has signed in. */
  start(user: string): string;
  /** The user of the session that these headers carry. */
  userOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined;
}

export const COOKIE = "session";

export function createSessions(secret: string): Sessions {
  const sign = (user: string) => createHmac("sha256", secret).update(user).digest("base64url");

  return {
    start: (user) => `${Buffer.from(user).toString("base64url")}.${sign(user)}`,
    userOf({ authorization, cookie }) {
      const bearer = /^Bearer (.+)$/.exec(String(authorization ?? ""))?.[1];
      const session =
        bearer ?? new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(String(cookie ?? ""))?.[1];
      const [name = "", signature = ""] = session?.split(".") ?? [];
      const user = Buffer.from(name, "base64url").toString();
      const expected = Buffer.from(sign(user));
      const given = Buffer.from(signature);
      const isValid = given.length === expected.length && timingSafeEqual(given, expected);
      return isValid ? user : undefined;
    },
  };
}
