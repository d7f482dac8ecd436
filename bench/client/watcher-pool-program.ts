/** Many lightweight watchers in one process. A few of them measure the latency of each message. */
import { answerCalls } from "#bench/program.ts";
import type { Watch } from "#bench/servers/peer.ts";
import { openWatcher, type Watcher } from "./watcher.ts";

export interface Connecting {
  port: number;
  /** Assigned to the watchers round-robin. */
  watches: Watch[];
  count: number;
  /** Number of watchers that measure latency: evenly spread, as a server that writes in turn reaches the first ones at once. */
  samples: number;
}

export interface Arrival {
  /** CPU time of this process since `expect`, in microseconds. */
  cpu: number;
  bytes: number;
  /** Milliseconds from emit to read, of the sampled watchers. */
  latencies: number[];
  /** The number of the event that each of these is about. */
  steps: number[];
}

export interface WatcherPoolProgram {
  /** Resolves to the elapsed milliseconds once all watchers have received their greeting. */
  connect(connecting: Connecting): Promise<number>;
  /** Sets the number of frames that each reading watcher will receive from now on. */
  expect(input: { frames: number }): void;
  /** Resolves once all expected frames have arrived. */
  arrived(): Promise<Arrival>;
  /** Stops the first `count` watchers from reading, until `resume`. */
  pause(input: { count: number }): void;
  resume(): void;
  leave(): void;
}

/** Connections that open at the same time: less than the server's accept queue of 511. */
const OPENING = 256;
const BUFFER = 65_536;
const STEP = Buffer.from("Step ");
const SENT = Buffer.from(" sent ");

interface Member {
  watcher: Watcher;
  greeting: number;
  greeted: boolean;
  paused: boolean;
  target: number;
}

const buffer = new Uint8Array(BUFFER);
let members: Member[] = [];
let connecting: { next(): void; fail(error: Error): void } | undefined;
let missing = 0;
let allCame = Promise.withResolvers<void>();
let latencies: number[] = [];
let steps: number[] = [];
let cpuBefore = 0;
let bytesBefore = 0;

function open({ port, watches, samples, count }: Connecting, index: number): void {
  const watch = watches[index % watches.length] as Watch;
  const member: Member = {
    watcher: openWatcher(
      port,
      watch,
      { keep: index % Math.ceil(count / samples) === 0, buffer },
      {
        onFrame({ frames }, payload) {
          if (!member.greeted && frames >= member.greeting) {
            member.greeted = true;
            connecting?.next();
          }
          if (payload !== undefined && member.target > 0) note(payload);
          if (frames !== member.target) return;
          missing -= 1;
          if (missing === 0) allCame.resolve();
        },
        onError(error) {
          connecting?.fail(error);
          allCame.reject(error);
        },
      },
    ),
    greeting: watch.greeting,
    greeted: false,
    paused: false,
    target: -1,
  };
  members.push(member);
}

function note(payload: Buffer): void {
  const at = payload.indexOf(SENT);
  if (at === -1) return;
  const from = at + SENT.length;
  const sent = BigInt(payload.toString("latin1", from, payload.indexOf(" ", from)));
  steps.push(Number(payload.toString("latin1", payload.lastIndexOf(STEP, at) + STEP.length, at)));
  latencies.push(Number(process.hrtime.bigint() - sent) / 1e6);
}

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const bytes = () => members.reduce((sum, { watcher }) => sum + watcher.bytes, 0);

const program: WatcherPoolProgram = {
  connect(wanted) {
    const begin = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let opened = 0;
    let greeted = 0;
    connecting = {
      next() {
        greeted += 1;
        if (greeted === wanted.count) resolve(performance.now() - begin);
        else openMore();
      },
      fail: reject,
    };
    function openMore(): void {
      while (opened < wanted.count && opened - greeted < OPENING) {
        open(wanted, opened);
        opened += 1;
      }
    }
    openMore();
    return promise;
  },
  expect({ frames }) {
    const reading = members.filter(({ paused }) => !paused);
    for (const member of reading) member.target = member.watcher.frames + frames;
    missing = reading.length;
    allCame = Promise.withResolvers();
    latencies = [];
    steps = [];
    cpuBefore = cpu();
    bytesBefore = bytes();
  },
  async arrived() {
    await allCame.promise;
    return { cpu: cpu() - cpuBefore, bytes: bytes() - bytesBefore, latencies, steps };
  },
  pause({ count }) {
    for (const member of members.slice(0, count)) {
      member.paused = true;
      member.watcher.pause();
    }
  },
  resume() {
    for (const member of members) {
      member.paused = false;
      member.watcher.resume();
    }
  },
  leave() {
    for (const { watcher } of members) watcher.close();
    members = [];
  },
};

answerCalls(program, () => program.leave());
