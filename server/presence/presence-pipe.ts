/** A watch of presence: its watcher comes with its begin, and leaves with its end. */
import { deferPipe, type Pipe } from "#server/streams/deferred-pipe.ts";
import type { AppError } from "#shared/errors.ts";

export interface Entered {
  /** Resolves when the engine was told of it, or could not be. */
  told: Promise<void>;
  /** May be called more than once. */
  leave(): void;
}

interface Watcher {
  enter(): Entered;
  /** Ends the watch when its watcher loses the right to it. Returns what stops that. */
  whenRefused(end: (reason: AppError) => void): () => void;
}

/** The first state that the watcher receives has the watcher in it. */
export function pipeWithWatcher<T>(pipe: Pipe<T>, { enter, whenRefused }: Watcher): Pipe<T> {
  return (sink) => {
    const { told, leave } = enter();
    const stopChecking = whenRefused((reason) => {
      watch.stop();
      leave();
      sink.end(reason);
    });
    const left = () => {
      stopChecking();
      leave();
    };
    const begin = deferPipe(
      () => told,
      pipe,
      () => true,
    );
    const watch = begin({
      push: (entries) => sink.push(entries),
      end(reason) {
        left();
        sink.end(reason);
      },
    });
    return {
      resume: () => watch.resume(),
      stop() {
        watch.stop();
        left();
      },
    };
  };
}
