/** A kind that no server can register. The message names it and says what to change. */
export class KindError extends Error {
  override readonly name = "KindError";
}
