/**
 * The draft of a job as a stream of frames: a position is a piece's `seq`. Each frame has the offset of its text,
 * so a frame may overlap the text that a reader already has.
 */
import type { DraftSlice, Engine } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { DraftFrame } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import type { Slice, Source } from "./source.ts";

export function createDraftSource(
  engine: Pick<Engine, "readDraft">,
  jobId: string,
): Source<DraftFrame> {
  const load = async (after: number): Promise<DraftSlice> => {
    const slice = await engine.readDraft(jobId, after);
    if (slice === undefined) throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
    return slice;
  };
  return {
    ref: { stream: "draft", jobId },
    sharesEntries: false,
    foldBeyond: 0,
    minIntervalMs: 0,
    async current() {
      const slice = await load(0);
      const empty: DraftFrame = { jobId, seq: slice.head, attempt: 0, offset: 0, text: "" };
      return framed(slice, frameOf(jobId, slice) ?? empty);
    },
    async read(after) {
      const slice = await load(after);
      return framed(slice, frameOf(jobId, slice));
    },
    fromHint: () => undefined,
    fold: (older, newer) => {
      const { offset, text } = older.value;
      if (newer.value.offset === 0) return newer;
      if (newer.value.offset !== offset + text.length) return undefined;
      return { pos: newer.pos, value: { ...newer.value, offset, text: text + newer.value.text } };
    },
    markGap: ({ entries }) =>
      entries.map(({ pos, value }) => ({ pos, value: { ...value, gap: true } })),
  };
}

function frameOf(jobId: string, { pieces, head }: DraftSlice): DraftFrame | undefined {
  const first = pieces[0];
  if (first === undefined) return undefined;
  const text = pieces.map((piece) => piece.text).join("");
  return { jobId, seq: head, attempt: first.attempt, offset: first.offset, text };
}

function framed({ head, status }: DraftSlice, frame: DraftFrame | undefined): Slice<DraftFrame> {
  return {
    entries: frame === undefined ? [] : [{ pos: head, value: frame }],
    head,
    ended: isSettled(status),
  };
}
