/** Ends connections whose caller was identified by a cookie, when that sign-in ends. */
import type { Caller, SignInContext } from "./contract.ts";

/** A socket, or the response of a stream. */
interface Lasting {
  readonly destroyed?: boolean;
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
}

export function endWithSignIn(
  context: SignInContext | undefined,
  { signInId }: Caller,
  connection: Lasting,
): void {
  if (context === undefined || signInId === undefined || connection.destroyed === true) return;
  const stop = context.signIns.onEnd(signInId, () => connection.destroy());
  connection.once("close", stop);
}
