/**
 * The version of the server and of its client library, which are released together. The library sends its own in the address of
 * each request and connection, under `VERSION_PARAM`.
 */
export const VERSION = "0.1.0";
export const VERSION_PARAM = "clientVersion";
