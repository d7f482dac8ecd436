/** A watch of which it is not known yet whether it may begin, because the data cannot be read. */
import { whenReadable } from "./readable.ts";
import { reasonOf, type Sink, type Watch } from "./watch.ts";

export type Pipe<T> = (sink: Sink<T>) => Watch;

/** Begins once `mayWatch` resolves; ends with what that rejects with. `isOpen`: it is worth to go on asking. */
export function deferPipe<T>(
  mayWatch: () => Promise<void>,
  pipe: Pipe<T>,
  isOpen: () => boolean,
): Pipe<T> {
  return (sink) => {
    let stopped = false;
    let watch: Watch | undefined;
    const isWanted = () => !stopped && isOpen();

    async function begin(): Promise<void> {
      try {
        await whenReadable(mayWatch, isWanted);
        if (isWanted()) watch = pipe(sink);
      } catch (error) {
        if (isWanted()) sink.end(reasonOf(error));
      }
    }
    void begin();

    return {
      resume: () => watch?.resume(),
      stop() {
        stopped = true;
        watch?.stop();
      },
    };
  };
}
