/** The codes with which the server closes a WebSocket (RFC 6455, 7.4.1). */

export const COMPLETE = 1000;
export const GOING_AWAY = 1001;
/** The bytes are not what their frame says: no UTF-8, or no deflate. */
export const INVALID_DATA = 1007;
export const POLICY_VIOLATION = 1008;
export const MESSAGE_TOO_BIG = 1009;
/** Not in the RFC, registered at IANA afterwards. */
export const TRY_AGAIN_LATER = 1013;
