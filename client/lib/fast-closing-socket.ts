/**
 * A WebSocket that closes shortly after `close()`. A browser waits for the peer's close frame, which a frozen or
 * unreachable server does not send for a minute; until then the page would still show itself as live.
 */
const GOODBYE_MS = 500;
/** RFC 6455 code of a connection that ended without a close frame. */
const ABNORMAL = 1006;

export class FastClosingSocket extends WebSocket {
  override close(code?: number, reason?: string): void {
    super.close(code, reason);
    setTimeout(() => {
      if (this.readyState !== WebSocket.CLOSED) {
        this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL }));
      }
    }, GOODBYE_MS);
  }
}
