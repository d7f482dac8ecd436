/** For tests: text that hardly compresses, where a test is about the bytes on the wire. */
import { randomBytes } from "node:crypto";

export const randomText = (length: number): string =>
  randomBytes(Math.ceil((length * 3) / 4))
    .toString("base64url")
    .slice(0, length);
