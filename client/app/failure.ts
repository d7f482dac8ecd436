/** What to tell a person about something that was asked of the server and did not work. Pure. */
import { failureOf } from "#client/lib/client.ts";

/** `again`: what happens when the same is asked once more. */
export function whyNot(error: unknown, again = "Try again when the page is live."): string {
  const { code, message } = failureOf(error);
  return code === undefined ? `The server cannot be reached. ${again}` : message;
}

/** Both creates carry a key, by which the server knows a request that it has seen. */
export const CREATE_AGAIN = "Try again: what you ask for is made once, however often you ask.";
