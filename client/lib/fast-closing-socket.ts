/**
 * A WebSocket that closes shortly after `close()`. A browser waits for the peer's close frame, which a frozen or
 * unreachable server does not send for a minute; until then the page would still show itself as live.
 */
const GOODBYE_MS = 500;
/** RFC 6455 code of a connection that ended without a close frame. */
const ABNORMAL = 1006;

/** A server that renders pages may have no WebSocket; it opens none. */
const Base = globalThis.WebSocket ?? (EventTarget as unknown as typeof WebSocket);

export class FastClosingSocket extends Base {
  override close(code?: number, reason?: string): void {
    super.close(code, reason);
    setTimeout(() => {
      if (this.readyState !== WebSocket.CLOSED) {
        this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL }));
      }
    }, GOODBYE_MS);
  }
}
