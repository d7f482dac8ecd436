/**
 * What a person is told about the connection:
 *
 *  connecting ── open ──► live ── lost ──► stale ── open ──► live
 *
 * `stale`: what is shown was true once and may be old. Nothing was lost; the client resumes by itself.
 */
export type Connection = "connecting" | "live" | "stale";
export type ConnectionSignal = "open" | "lost";

const NEXT: Record<Connection, Record<ConnectionSignal, Connection>> = {
  connecting: { open: "live", lost: "connecting" },
  live: { open: "live", lost: "stale" },
  stale: { open: "live", lost: "stale" },
};

export function nextConnection(state: Connection, signal: ConnectionSignal): Connection {
  return NEXT[state][signal];
}

/** For `useSyncExternalStore`. */
export interface ConnectionStore {
  get(): Connection;
  subscribe(listener: () => void): () => void;
  signal(signal: ConnectionSignal): void;
}

export function createConnectionStore(): ConnectionStore {
  const listeners = new Set<() => void>();
  let state: Connection = "connecting";
  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal(signal) {
      const next = nextConnection(state, signal);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener();
    },
  };
}
