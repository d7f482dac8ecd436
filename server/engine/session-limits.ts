/** How long sessions are kept, and how many. */

/** After a session was saved last. Its holder saves it every minute or so, and a lost one can be had for ten more. */
export const SESSION_KEPT_MS = 12 * 60_000;
/** Of one tenant. Beyond it the one that was saved the longest ago goes. */
export const MAX_SAVED_SESSIONS = 10_000;
