/** The client of the older system. */
import { LegacyClient, type WSJobUpdate, wsClient } from "@jobwire/client/legacy";

export function followAsOlderClient(jobId: string, show: (text: string) => void): void {
  const older = new LegacyClient(location.origin, { path: "/jobwire/socket.io" });
  older.on("job:completed", ({ status, progress }: WSJobUpdate) => {
    show(`${status} ${progress}`);
    older.disconnect();
  });
  older.subscribeToJob(jobId);
  older.connect();
}

/** Each line below `@ts-expect-error` must not compile. */
export function wrong() {
  // @ts-expect-error: there is no such event
  wsClient.on("job:done", () => undefined);
  // @ts-expect-error: a number
  wsClient.on("job:update", ({ progress }) => progress satisfies string);
  // @ts-expect-error: ids are texts
  wsClient.subscribeToBatch(7);
}
