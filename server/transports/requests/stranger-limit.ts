/** The limit for callers that the server does not know yet. */

/**
 * Bytes of a request body, of a WebSocket message and of a Socket.IO packet. Texts within all other limits can still take the
 * parser half a second: a few megabytes of keys that are all different do. Credentials and what else a stranger has to say are
 * smaller.
 */
export const MAX_STRANGER_BYTES = 64 * 1024;
