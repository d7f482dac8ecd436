/**
 * A WebSocket that is closed as soon as its client gives it up. A browser waits for the other side's goodbye, and
 * a server that is frozen or cut off says none for a minute: meanwhile a page would go on calling itself live.
 */
const GOODBYE_MS = 500;
/** RFC 6455: closed without a goodbye. */
const ABNORMAL = 1006;

export class PromptSocket extends WebSocket {
  override close(code?: number, reason?: string): void {
    super.close(code, reason);
    setTimeout(() => {
      if (this.readyState !== WebSocket.CLOSED) {
        this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL }));
      }
    }, GOODBYE_MS);
  }
}
