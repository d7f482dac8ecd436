/**
 * The connection as shown to people:
 *
 *  connecting ── open ──► live ── lost ──► stale ── open ──► live
 *
 * `stale`: the shown state may be out of date. No event is lost, because the client resumes by itself. The connection
 * is also `stale` while the server cannot reach its data.
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

/** A store for `useSyncExternalStore`. */
export interface ConnectionStore {
  get(): Connection;
  subscribe(listener: () => void): () => void;
  signal(signal: ConnectionSignal): void;
  /** Reports whether the server reaches its data. */
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
