/** Of one user. A further one deletes the one that would end first. */
export const MAX_SIGN_INS = 20;
