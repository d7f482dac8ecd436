/**
 * The random text by which presence counts this browser where people have no user id: on a server without sign-in, and on the
 * page of a share link. Nothing is kept in a browser whose person signs in.
 */
import { randomText } from "#client/lib/random-text.ts";
import { MAX_DEVICE_CHARS } from "#shared/limits.ts";

export interface Device {
  text: string;
  /** Keeps it, so that other tabs, and the next visit, are the same device. */
  keep(): void;
}

const KEY = "jobwire-device";

export function openDevice(): Device {
  const text = known() ?? randomText();
  return {
    text,
    keep() {
      try {
        localStorage.setItem(KEY, text);
      } catch {
        // The browser keeps nothing for this page.
      }
    },
  };
}

function known(): string | undefined {
  try {
    const text = localStorage.getItem(KEY) ?? "";
    return text === "" || text.length > MAX_DEVICE_CHARS ? undefined : text;
  } catch {
    return undefined;
  }
}
