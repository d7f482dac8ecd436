/** How `ws` takes what clients send, on both transports. */

/**
 * Each piece of a message is a buffer of its own until the message is whole, and weighs a hundred times a piece of one
 * byte. Clients send a message as one frame, and a network cuts it into segments of 536 bytes or more.
 */
const MAX_FRAGMENTS = 1024;
const MAX_BUFFERED_CHUNKS = 32_768;
/** A client that reads nothing does not answer a close either. */
const CLOSE_TIMEOUT_MS = 2000;

export const MESSAGE_LIMITS = {
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  closeTimeout: CLOSE_TIMEOUT_MS,
  /** One message a turn of the event loop: what one client sends at once does not delay what others send. */
  allowSynchronousEvents: false,
};
