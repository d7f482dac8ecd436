/** The arguments of the command are wrong. Its exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
