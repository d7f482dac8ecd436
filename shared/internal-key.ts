/**
 * Idempotency keys of jobs that the server creates by itself begin with it: a control character, U+0001, which no caller's key
 * may begin with.
 */
export const INTERNAL_KEY = "\u0001";
