/**
 * A watch that begins once it is known that its watcher may see the stream. While the data is unavailable that is not known.
 *
 *   waiting ── `mayWatch` resolves ──► piping
 *      └────── `stop()`, or `mayWatch` rejects ──► stopped
 */
import { retryWhileUnavailable } from "./retry-while-unavailable.ts";
import type { Sink, Watch } from "./sink.ts";
import { toAppError } from "./watch.ts";

export type Pipe<T> = (sink: Sink<T>) => Watch;

type State = { mode: "waiting" } | { mode: "piping"; watch: Watch } | { mode: "stopped" };

/** The sink ends with the error that `mayWatch` rejects with. `isOpen`: the streams are not closed. */
export function deferPipe<T>(
  mayWatch: () => Promise<void>,
  pipe: Pipe<T>,
  isOpen: () => boolean,
): Pipe<T> {
  return (sink) => {
    let state: State = { mode: "waiting" };
    const isWanted = () => state.mode === "waiting" && isOpen();

    async function begin(): Promise<void> {
      try {
        await retryWhileUnavailable(mayWatch, isWanted);
        if (isWanted()) state = { mode: "piping", watch: pipe(sink) };
      } catch (error) {
        if (!isWanted()) return;
        state = { mode: "stopped" };
        sink.end(toAppError(error));
      }
    }
    void begin();

    return {
      resume() {
        if (state.mode === "piping") state.watch.resume();
      },
      stop() {
        if (state.mode === "piping") state.watch.stop();
        state = { mode: "stopped" };
      },
    };
  };
}
