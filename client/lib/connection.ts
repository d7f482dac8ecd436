/**
 * What a person is told about the connection:
 *
 *  connecting ── open ──► live ── lost ──► stale ── open ──► live
 *
 * `stale`: what is shown was true once and may be old. Nothing was lost; the client resumes by itself. It is also
 * `stale` while the server says that it cannot reach its data.
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
  /** What the server says of its data. */
  reached(reached: boolean): void;
}

export function createConnectionStore(): ConnectionStore {
  const listeners = new Set<() => void>();
  let state: Connection = "connecting";
  let reached = true;
  const shown = (): Connection => (state === "live" && !reached ? "stale" : state);

  function change(to: () => void): void {
    const before = shown();
    to();
    if (shown() === before) return;
    for (const listener of listeners) listener();
  }

  return {
    get: shown,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal: (signal) => change(() => (state = nextConnection(state, signal))),
    reached: (now) => change(() => (reached = now)),
  };
}
