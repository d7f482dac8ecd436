/** Metrics of the store of an embedded engine, read at a scrape. */
import type { StorageState } from "#server/engine/storage.ts";
import type { Instruments } from "./instruments.ts";

/** `undefined`: the engine has none, or it could not be read. An old value would look like the present one. */
export function readStorage(
  { unsettledJobs, dataBytes, diskFree, diskSize }: Instruments,
  state: StorageState | undefined,
): void {
  if (state === undefined) {
    for (const gauge of [unsettledJobs, dataBytes, diskFree, diskSize]) gauge.remove();
    return;
  }
  unsettledJobs.set(state.unsettledJobs);
  dataBytes.set(state.bytes);
  diskFree.set(state.disk.freeBytes);
  diskSize.set(state.disk.sizeBytes);
}
