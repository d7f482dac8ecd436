/** The part of an engine that keeps sign-ins. Its errors are those of every method of an engine (`contract.ts`). */
import type { SignIn } from "#shared/sign-in.ts";

export interface SignInStore {
  /**
   * Stores a new sign-in until its `endsAt`. Of more than `MAX_SIGN_INS` of a user, the ones that would end first are deleted;
   * returns their ids.
   */
  addSignIn(signIn: SignIn): Promise<string[]>;
  /** `undefined`: there is none, or it has ended. */
  getSignIn(id: string, now: Date): Promise<SignIn | undefined>;
  /** In the order of the ids: whether there is one that has not ended. */
  hasSignIns(ids: readonly string[], now: Date): Promise<boolean[]>;
  /** Stores its new times. False: it was removed, and stays so. */
  renewSignIn(signIn: SignIn): Promise<boolean>;
  removeSignIn(signIn: Pick<SignIn, "id" | "principal">): Promise<void>;
}
