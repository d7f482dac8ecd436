/** The package `jobwire`. */
export {
  type ClientCredentials,
  type Closed,
  createJobwire,
  type HttpServerLike,
  type Jobwire,
  type JobwireOptions,
  type Log,
} from "./jobwire.ts";
export {
  type AnyKind,
  blocked,
  defineKind,
  delivered,
  Failure,
  type Kind,
  type KindDefinition,
  type KindMapOf,
  type Outcome,
  type RunContext,
  Transient,
} from "./kinds/define.ts";
export { KindError } from "./kinds/registry.ts";
export { AppError, type ErrorCode, type InputIssue } from "#shared/errors.ts";
export { ConfigError } from "#shared/load-variables.ts";
export type { Authenticated, Principal } from "#shared/principal.ts";
export type { DeclaredSchedule, ScheduleDetails, ScheduleSummary } from "#shared/schedule.ts";
