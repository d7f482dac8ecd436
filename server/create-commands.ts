/** The commands of `commands.ts`, on the procedures that clients call. */
import { AppError } from "#shared/errors.ts";
import type { KindMap } from "#shared/kind-types.ts";
import type { Commands, JobCommands, KindCommands } from "./commands.ts";
import type { Caller, InProcess } from "./transports/trpc/in-process.ts";

type WatchArguments = Parameters<InProcess["watch"]>;

/** `open` resolves when the server can be called. `kinds`: the names of its kinds. */
export function createCommands(
  open: () => Promise<InProcess>,
  kinds: readonly string[],
): Commands<KindMap> {
  const call: InProcess["call"] = async (principal, use) => (await open()).call(principal, use);
  async function* values<T>(...args: WatchArguments): AsyncGenerator<T, void> {
    yield* (await open()).watch<T>(...args);
  }
  const watch: InProcess["watch"] = <T>(...[principal, use, signal]: WatchArguments) => {
    const leaving = new AbortController();
    const ends = AbortSignal.any([leaving.signal, ...(signal === undefined ? [] : [signal])]);
    const iterator = values<T>(principal, use, ends);
    const end = iterator.return.bind(iterator);
    // That of a generator waits for a `next` that is under way, and keeps the stream open meanwhile.
    iterator.return = (value) => {
      leaving.abort();
      return end(value);
    };
    return iterator;
  };
  const decide =
    (decision: "cancel" | "retry" | "approve" | "reject" | "regenerate"): JobCommands["cancel"] =>
    (principal, jobId, note) =>
      call(principal, ({ job }) => job[decision]({ jobId, note }));

  /** The watches of a job: of any kind, or of one kind alone. */
  function watchesOf(
    procedures: (caller: Caller) => Pick<Caller["job"], "onUpdate" | "onOutput">,
  ): Pick<KindCommands, "watch" | "watchOutput"> {
    return {
      watch: (principal, jobId, { signal, ...options } = {}) =>
        watch(principal, (to) => procedures(to).onUpdate({ jobId, ...options }), signal),
      watchOutput: (principal, jobId, { signal, ...options } = {}) =>
        watch(principal, (to) => procedures(to).onOutput({ jobId, ...options }), signal),
    };
  }

  function kindCommands(name: string): KindCommands {
    const of = (caller: Caller) => {
      const procedures = caller.kinds[name];
      if (procedures === undefined) throw new AppError("NOT_FOUND", `There is no kind "${name}".`);
      return procedures;
    };
    return {
      create: (principal, input, options) =>
        call(principal, (to) => of(to).create({ ...options, input })),
      createMany: (principal, inputs, options) =>
        call(principal, (to) =>
          of(to).createMany({ ...options, jobs: inputs.map((input) => ({ input })) }),
        ),
      get: (principal, jobId) => call(principal, (to) => of(to).get({ jobId })),
      list: (principal, query) => call(principal, (to) => of(to).list(query)),
      ...watchesOf(of),
    };
  }

  return {
    kinds: Object.fromEntries(kinds.map((name) => [name, kindCommands(name)])),
    jobs: {
      create: (principal, job) => call(principal, (to) => to.job.create(job)),
      get: (principal, jobId) => call(principal, (to) => to.job.get({ jobId })),
      waiting: (principal, jobId) => call(principal, (to) => to.job.waiting({ jobId })),
      list: (principal, query) => call(principal, (to) => to.job.list(query)),
      events: (principal, query) => call(principal, (to) => to.job.events(query)),
      logs: (principal, query) => call(principal, (to) => to.job.logs(query)),
      watchLogs: (principal, jobId, { signal, ...options } = {}) =>
        watch(principal, ({ job }) => job.onLog({ jobId, ...options }), signal),
      cancel: decide("cancel"),
      retry: decide("retry"),
      approve: decide("approve"),
      reject: decide("reject"),
      regenerate: decide("regenerate"),
      ...watchesOf(({ job }) => job),
      watchAll: (principal, { signal, ...options } = {}) =>
        watch(principal, ({ feed }) => feed.onUpdate(options), signal),
    },
    schedules: {
      upsert: (principal, given) => call(principal, (to) => to.schedule.upsert(given)),
      list: (principal, query) => call(principal, (to) => to.schedule.list(query)),
      get: (principal, scheduleId) => call(principal, (to) => to.schedule.get({ scheduleId })),
      pause: (principal, scheduleId) => call(principal, (to) => to.schedule.pause({ scheduleId })),
      resume: (principal, scheduleId) =>
        call(principal, (to) => to.schedule.resume({ scheduleId })),
      trigger: (principal, scheduleId) =>
        call(principal, (to) => to.schedule.trigger({ scheduleId })),
      delete: (principal, scheduleId) =>
        call(principal, (to) => to.schedule.delete({ scheduleId })),
    },
    workers: {
      list: (principal, query) => call(principal, (to) => to.worker.list(query)),
      drain: (principal, workerId) => call(principal, (to) => to.worker.drain({ workerId })),
      resume: (principal, workerId) => call(principal, (to) => to.worker.resume({ workerId })),
    },
    pauses: {
      list: (principal) => call(principal, (to) => to.pause.list()),
      set: (principal, pause) => call(principal, (to) => to.pause.set(pause)),
      remove: (principal, pause) => call(principal, (to) => to.pause.remove(pause)),
    },
    batches: {
      create: (principal, batch) => call(principal, (to) => to.batch.create(batch)),
      get: (principal, batchId) => call(principal, (to) => to.batch.get({ batchId })),
      list: (principal, query) => call(principal, (to) => to.batch.list(query)),
      cancel: (principal, batchId, note) =>
        call(principal, (to) => to.batch.cancel({ batchId, note })),
      watch: (principal, batchId, { signal, ...options } = {}) =>
        watch(principal, ({ batch }) => batch.onUpdate({ batchId, ...options }), signal),
    },
    presence: {
      watch: (principal, { jobId, batchId } = {}, { signal, ...options } = {}) =>
        watch(
          principal,
          ({ job, batch, presence }) => {
            if (jobId !== undefined) return job.onPresence({ jobId, ...options });
            if (batchId !== undefined) return batch.onPresence({ batchId, ...options });
            return presence.onUpdate(options);
          },
          signal,
        ),
      setTyping: (principal, jobId, typing, { device } = {}) =>
        call(principal, ({ job }) => job.typing({ jobId, typing, device })),
    },
  };
}
