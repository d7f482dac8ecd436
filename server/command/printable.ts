/** Names that callers chose, on a line of the terminal. */

/** As JSON where it has characters that would break the line. */
export function printable(name: string): string {
  return /\p{Cc}/u.test(name) ? JSON.stringify(name) : name;
}
