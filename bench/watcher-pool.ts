/** Watchers in as many processes as are needed for the clients not to become the bottleneck. */
import type { Arrival, WatcherPoolProgram } from "#bench/client/watcher-pool-program.ts";
import type { Watch } from "#bench/servers/peer.ts";
import { openProgram } from "./program.ts";

export interface WatcherPool {
  /** Resolves to the milliseconds until all watchers have received their greeting. `watches` are assigned round-robin. */
  connect(port: number, watches: readonly Watch[], count: number): Promise<number>;
  expect(frames: number): Promise<void>;
  arrived(): Promise<Arrival>;
  pause(count: number): Promise<void>;
  resume(): Promise<void>;
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** Watchers that one process can keep up with. */
const PER_PROCESS = 5000;
/** Watchers that measure latency, over all processes. */
const SAMPLES = 10;

export function openWatcherPool(atMost: number): WatcherPool {
  const size = Math.ceil(atMost / PER_PROCESS);
  const programs = Array.from({ length: size }, () =>
    openProgram<WatcherPoolProgram>("client/watcher-pool-program.ts"),
  );
  const first = programs[0] as (typeof programs)[0];
  return {
    async connect(port, watches, count) {
      const share = Math.ceil(count / size);
      const times = await Promise.all(
        programs.map(async (program, i) => {
          const mine = Math.min(share, count - i * share);
          return mine > 0
            ? program.call("connect", {
                port,
                watches: [...watches],
                count: mine,
                samples: Math.ceil(SAMPLES / size),
              })
            : 0;
        }),
      );
      return Math.max(...times);
    },
    async expect(frames) {
      await Promise.all(programs.map((program) => program.call("expect", { frames })));
    },
    async arrived() {
      const all = await Promise.all(programs.map((program) => program.call("arrived", undefined)));
      return {
        cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
        bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
        latencies: all.flatMap(({ latencies }) => latencies),
        steps: all.flatMap(({ steps }) => steps),
      };
    },
    pause: (count) => first.call("pause", { count }),
    resume: () => first.call("resume", undefined),
    async leave() {
      await Promise.all(programs.map((program) => program.call("leave", undefined)));
    },
    async close() {
      await Promise.all(programs.map((program) => program.close()));
    },
  };
}
