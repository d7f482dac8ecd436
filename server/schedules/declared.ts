/** The schedules that kinds declare in code: checked when the server starts, then stored for one owner. */
import type { Logger } from "pino";
import type { ScheduleStore } from "#server/engine/schedule-store.ts";
import type { RequestValidator } from "#server/jobs/validate-request.ts";
import { KindError, type KindRegistry } from "#server/kinds/registry.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError, messageOf, wholeMessageOf } from "#shared/errors.ts";
import { MAX_PAGE_ITEMS } from "#shared/limits.ts";
import { isSameOwner, type Owner } from "#shared/principal.ts";
import { type ScheduleRequest, ScheduleToUpsert } from "./inputs.ts";
import { planOf } from "./plan.ts";
import type { StoreSchedule } from "./store-schedule.ts";

const RETRY_MS = 5000;

/** Throws `KindError` for a schedule that no server can store, and for two of one key. */
export function declaredSchedules(
  kinds: KindRegistry,
  validate: RequestValidator,
): ScheduleRequest[] {
  const byKey = new Map<string, ScheduleRequest>();
  for (const kind of kinds.values()) {
    for (const given of kind.schedules ?? []) {
      const request = checked(kind.name, given, validate);
      const other = byKey.get(request.key);
      if (other !== undefined) {
        throw new KindError(
          `The kinds "${other.kind}" and "${kind.name}" declare schedules of one key, "${request.key}". Give one of them another key.`,
        );
      }
      byKey.set(request.key, request);
    }
  }
  return [...byKey.values()];
}

function checked(
  kind: string,
  given: { key: string },
  validate: RequestValidator,
): ScheduleRequest {
  const parsed = ScheduleToUpsert.safeParse({ ...given, kind });
  const refused = (reason: string) =>
    new KindError(
      `The schedule ${JSON.stringify(given.key)} of the kind "${kind}" cannot be used: ${reason}`,
    );
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
  }
  try {
    planOf(parsed.data.when);
    validate.one(parsed.data);
  } catch (error) {
    throw refused(messageOf(error));
  }
  return parsed.data;
}

export interface DeclarerOptions {
  store: ScheduleStore;
  storeSchedule: StoreSchedule;
  declared: readonly ScheduleRequest[];
  owner: Owner;
  /** Another owner that this server may have stored them for before. */
  earlier?: Owner | undefined;
  kinds: ReadonlyMap<string, unknown>;
  clock: Pick<Clock, "after" | "hold">;
  /** Called when they are stored. */
  done: () => void;
  log: Pick<Logger, "info" | "warn" | "error">;
}

/**
 * Stores them, and removes those that are no longer declared, or belong to the owner of before. Only those of kinds that this server has: others may belong to
 * servers with other kinds. Goes on until the data can be written. Returns what stops it.
 */
export function startDeclaring(options: DeclarerOptions): () => void {
  const { store, storeSchedule, declared, owner, earlier, kinds, clock, done, log } = options;
  let stopped = false;
  let cancel: (() => void) | undefined;

  async function storeAll(): Promise<void> {
    for (const request of declared) {
      try {
        const { changed, schedule } = await storeSchedule(owner, request, true);
        if (changed) log.info({ schedule: schedule.id, key: request.key }, "A schedule was stored");
      } catch (error) {
        // Its `at` has passed, or its tenant has too many: to try again would not help.
        if (!(error instanceof AppError) || error.code !== "BAD_REQUEST") throw error;
        log.error({ key: request.key, reason: error.message }, "A schedule could not be stored");
      }
    }
  }

  async function removeOthers(of: Owner, wanted: ReadonlySet<string>): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await store.list({ ...of, cursor, limit: MAX_PAGE_ITEMS });
      for (const { id, key, kind, version, declared: isDeclared } of page.items) {
        if (!isDeclared || wanted.has(key) || !kinds.has(kind)) continue;
        if (await store.remove(id, version)) {
          log.info({ schedule: id, key }, "A schedule was removed: the kind declares it no more");
        }
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async function declare(): Promise<void> {
    try {
      await storeAll();
      await removeOthers(owner, new Set(declared.map(({ key }) => key)));
      if (earlier !== undefined && !isSameOwner(earlier, owner)) {
        await removeOthers(earlier, new Set());
      }
      done();
    } catch (error) {
      if (stopped) return;
      log.warn(
        { reason: wholeMessageOf(error) },
        "Declared schedules could not be stored. The server tries again",
      );
      cancel = clock.after(RETRY_MS, start);
    }
  }

  function start(): void {
    if (!stopped) clock.hold(declare());
  }

  start();
  return () => {
    stopped = true;
    cancel?.();
  };
}
