/** The random text by which a server counts callers without a user id: of this browser, or of this client. */
import { MAX_DEVICE_CHARS } from "#shared/limits.ts";
import { randomText } from "./random-text.ts";

const KEY = "jobwire-device";

export function deviceOf(): string {
  const fresh = randomText();
  // Node has a `localStorage` too, and warns of it.
  if (typeof document === "undefined") return fresh;
  try {
    const known = localStorage.getItem(KEY) ?? "";
    if (known !== "" && known.length <= MAX_DEVICE_CHARS) return known;
    localStorage.setItem(KEY, fresh);
  } catch {
    // The browser keeps nothing for this page.
  }
  return fresh;
}
