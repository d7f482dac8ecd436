import { createHash } from "node:crypto";

/** SHA-256 of a `jti`, as hexadecimal digits: what stores know it by, however long it is. */
export function hashOfTokenId(tokenId: string): string {
  return createHash("sha256").update(tokenId).digest("hex");
}
