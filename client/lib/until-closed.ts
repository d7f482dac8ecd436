import type { Subscribe } from "./subscription-iterator.ts";

/** A client that is closed completes its subscriptions, as a server does for a settled job. The two must not be confused. */
export function untilClosed<T>(closed: AbortSignal, subscribe: Subscribe<T>): Subscribe<T> {
  return (lastEventId, handlers) => {
    const onComplete = () => {
      if (closed.aborted) handlers.onError(closed.reason);
      else handlers.onComplete();
    };
    if (!closed.aborted) return subscribe(lastEventId, { ...handlers, onComplete });
    onComplete();
    return { unsubscribe() {} };
  };
}
