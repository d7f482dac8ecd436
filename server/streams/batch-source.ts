/** The aggregate of a batch as a stream: a position is its `version`. The newest aggregate replaces all before. */
import type { Engine } from "#server/engine/contract.ts";
import { aggregateOf, type BatchAggregate, isBatchSettled } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import type { Slice, Source } from "./source.ts";

/** Ten reads a second at most. */
const MIN_INTERVAL_MS = 100;

export function createBatchSource(
  engine: Pick<Engine, "getBatch">,
  batchId: string,
): Source<BatchAggregate> {
  const read = async (after: number): Promise<Slice<BatchAggregate>> => {
    const batch = await engine.getBatch(batchId);
    if (batch === undefined) throw new AppError("NOT_FOUND", `Batch ${batchId} does not exist.`);
    const aggregate = aggregateOf(batch);
    const entries = batch.version > after ? [{ pos: batch.version, value: aggregate }] : [];
    return { entries, head: batch.version, ended: isBatchSettled(aggregate) };
  };
  return {
    ref: { stream: "batch", batchId },
    sharesEntries: false,
    foldBeyond: 0,
    minIntervalMs: MIN_INTERVAL_MS,
    read,
    current: () => read(0),
    fromHint: () => undefined,
    fold: (_older, newer) => newer,
    markGap: ({ entries }) =>
      entries.map(({ pos, value }) => ({ pos, value: { ...value, gap: true } })),
  };
}
