/** Procedures of the program that the server runs in, on the same endpoint and the same connections. Types only. */
import type {
  AnyTRPCProcedure,
  AnyTRPCRouter,
  TRPCCreateRouterOptions,
  TRPCDecorateCreateRouterOptions,
  TRPCProcedureBuilder,
  TRPCRouterBuilder,
  TRPCUnsetMarker as Unset,
} from "@trpc/server";
import type { ApiError } from "#shared/api.ts";
import type { Principal } from "#shared/principal.ts";

/** The context of such a procedure. */
export interface OwnContext {
  principal: Principal;
}

/** With what a program makes them: as `initTRPC.create()` gives it. */
export interface ProcedureBuilders {
  router: TRPCRouterBuilder<{
    ctx: OwnContext;
    meta: object;
    errorShape: ApiError;
    transformer: true;
  }>;
  /** For every caller that is known. The program itself checks what each may do, by its scopes for example. */
  procedure: TRPCProcedureBuilder<OwnContext, object, object, Unset, Unset, Unset, Unset, false>;
}

/** A router, or the record that would make one: of procedures, records and routers. */
export type OwnRouter = AnyTRPCRouter | TRPCCreateRouterOptions;

export type OwnProcedures<Own extends OwnRouter = OwnRouter> = (builders: ProcedureBuilders) => Own;

/** `never`: a program that has none. */
export type RecordOf<Own extends OwnRouter> = [Own] extends [never]
  ? unknown
  : Own extends AnyTRPCRouter
    ? ProceduresIn<Own["_def"]["record"]>
    : Own extends TRPCCreateRouterOptions
      ? ProceduresIn<TRPCDecorateCreateRouterOptions<Own>>
      : never;

/**
 * Only the records and procedures. Routers in them would bring their context and errors along, types of the server that the
 * declarations of a program, and those of its front end, could not name.
 */
type ProceduresIn<Own> = Own extends AnyTRPCProcedure
  ? Own
  : { [Name in keyof Own]: ProceduresIn<Own[Name]> };
