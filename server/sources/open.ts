/** Mirrors the jobs of a program's sources, while the process runs jobs. */
import type { Logger } from "pino";
import type { Engine } from "#server/engine/contract.ts";
import { KindError } from "#server/kinds/kind-error.ts";
import type { Clock } from "#shared/clock.ts";
import { isOutside } from "#shared/outside.ts";
import type { Control } from "./control.ts";
import type { Source } from "./source.ts";

/** The method of a source that mirrors its jobs. Not part of its public type, which names nothing of engines. */
export const OPEN = Symbol.for("jobwire.openSource");

/** The parts of the engine that a mirror uses. */
export type MirrorEngine = Pick<
  Engine,
  "createJob" | "change" | "getSummary" | "listJobs" | "readLines" | "mirrors"
>;

export interface SourceContext {
  engine: MirrorEngine;
  /** A text that no other process has. */
  holder: string;
  clock: Clock;
  log: Logger;
}

export interface OpenableSource extends Source {
  /** Of the kinds whose jobs callers may cancel and retry. */
  readonly controls?: ReadonlyMap<string, Control> | undefined;
  /** Mirrors from now on. Never throws: it tries again until it is closed. */
  [OPEN](context: SourceContext): { close(): Promise<void> };
}

/** Throws `KindError` for what is no source, and for two mirrors of one kind. */
export function checkSources(sources: readonly Source[]): readonly OpenableSource[] {
  const given: unknown = sources;
  if (!Array.isArray(given)) {
    throw new KindError("The sources are no list. Give a list of what bullmqQueues returns.");
  }
  const kinds = new Set<string>();
  return sources.map((source, index) => {
    if (!isOpenable(source)) {
      throw new KindError(
        `Source ${index + 1} of the list is none. Give what bullmqQueues returns.`,
      );
    }
    for (const kind of source.kinds) {
      if (kinds.has(kind)) {
        throw new KindError(
          `Two sources have the jobs "${kind}". Name each queue once, and give queues of one name different names by \`as\`.`,
        );
      }
      kinds.add(kind);
    }
    return source;
  });
}

function isOpenable(source: unknown): source is OpenableSource {
  if (typeof source !== "object" || source === null || !(OPEN in source)) return false;
  const { kinds } = source as OpenableSource;
  return Array.isArray(kinds) && kinds.every((kind) => isOutside(kind));
}

/** Returns what ends all of them, and resolves when nothing of them runs any more. */
export function openSources(
  sources: readonly OpenableSource[],
  context: SourceContext,
): () => Promise<void> {
  const opened = sources.map((source) => source[OPEN](context));
  return async () => {
    await Promise.all(opened.map((each) => each.close()));
  };
}
