/** How `ws` takes what clients send, on both transports. */
export const MESSAGE_LIMITS = {
  /**
   * Each piece of a message is a buffer of its own until the message is whole, and weighs a hundred times a piece of one
   * byte. Clients send a message as one frame, and a network cuts it into segments of 536 bytes or more.
   */
  maxFragments: 1024,
  maxBufferedChunks: 32 * 1024,
  /** One message a turn of the event loop: what one client sends at once does not delay what others send. */
  allowSynchronousEvents: false,
  /** Milliseconds that a client which reads nothing has to answer a close. */
  closeTimeout: 2000,
};
