/** Options of `ws` that bound the messages of clients, for both transports. */

/**
 * `ws` keeps each fragment of a message as a separate buffer until the message is complete, and the buffer of a one-byte
 * fragment takes a hundred bytes. Clients send a message as one frame, and networks cut it into segments of 536 bytes or
 * more.
 */
const MAX_FRAGMENTS = 1024;
const MAX_BUFFERED_CHUNKS = 32_768;
/** A client that does not read does not answer a close frame either. */
const CLOSE_TIMEOUT_MS = 2000;

export const MESSAGE_LIMITS = {
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  closeTimeout: CLOSE_TIMEOUT_MS,
  /** One message per tick, so that a burst of one client does not delay the messages of others. */
  allowSynchronousEvents: false,
};
