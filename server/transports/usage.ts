/** The connections of a transport in numbers: plain ones that a scrape reads, because each delivery adds to them. */

/** How clients are connected. */
export const CONNECTION_KINDS = [
  "trpc-websocket",
  "trpc-sse",
  "api-websocket",
  "api-sse",
  "socketio-websocket",
  "socketio-polling",
] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

/** Counts of what was sent of streams to all connections of a kind. Each only grows. */
export interface SentCounts {
  entries: number;
  /** As they are written to the socket, before TLS. */
  bytes: number;
}

export interface ConnectionUsage {
  readonly kind: ConnectionKind;
  /** Open now. */
  readonly open: number;
  /** All that were opened. A Socket.IO session that changes from polling to WebSocket counts as one of each. */
  readonly opened: number;
  readonly sent: Readonly<SentCounts>;
  /** Open ones that take nothing more until their clients read. Absent where the server cannot tell. */
  readonly full?: number;
  /** All that were closed because their clients read nothing. */
  readonly stalled?: number;
}

export function newSent(): SentCounts {
  return { entries: 0, bytes: 0 };
}
