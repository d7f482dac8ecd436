/** The procedures of schedules, as types: part of `api.ts`. */
import type { Mutation, Page, Query } from "./api.ts";
import type { PageRequest } from "./api-inputs.ts";
import type { Job } from "./job.ts";
import type { KindMap, KindTypes } from "./kind-types.ts";
import type { OwnersAsked } from "./owners-asked.ts";
import type { ScheduleDetails, ScheduleFields, ScheduleSummary } from "./schedule.ts";

/** A type and no interface, as `Api`. */
export type ScheduleApi<Kinds extends KindMap> = {
  /** Stores a schedule under its key. The same one again changes nothing; other times begin anew, from now on. */
  upsert: Mutation<ScheduleToUpsert<Kinds>, ScheduleSummary>;
  list: Query<SchedulesQuery | undefined, Page<ScheduleSummary>>;
  get: Query<ScheduleRef, ScheduleDetails>;
  /** Creates no jobs until it is resumed. A firing that has just begun may still create one. */
  pause: Mutation<ScheduleRef, ScheduleSummary>;
  resume: Mutation<ScheduleRef, ScheduleSummary>;
  /** Creates a job now, and leaves the times as they are. */
  trigger: Mutation<ScheduleRef, Job>;
  /** Its jobs stay. */
  delete: Mutation<ScheduleRef, void>;
};

export interface ScheduleRef {
  scheduleId: string;
}

export interface SchedulesQuery extends PageRequest, OwnersAsked {
  /** The one that an owner has under this key. */
  key?: string | undefined;
}

/** The union of all kinds: the name tells which input it takes. */
export type ScheduleToUpsert<Kinds extends KindMap = KindMap> = {
  [Name in keyof Kinds & string]: ScheduleOf<Name, Kinds[Name]>;
}[keyof Kinds & string];

interface ScheduleOf<Name extends string, Types extends KindTypes> extends ScheduleFields {
  kind: Name;
  input: Types["input"];
}
