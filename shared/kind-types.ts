/** The types of a kind's values, as `defineKind` infers them from the kind's schemas. */
export interface KindTypes {
  /** As a caller sends it. */
  input: unknown;
  /** As `run` receives it, and as it is stored. */
  parsed: unknown;
  /** As they are stored; `never` for a kind without a schema of details. */
  details: unknown;
  /** As it is stored. */
  output: unknown;
}

/** The kinds of a server, by their names. `KindMap` itself: kinds that are not known when a program is compiled. */
export type KindMap = Record<string, KindTypes>;

/** A server, for the types of its clients: `createJobwireClient<App>`. The properties have no value. */
export interface ServerTypes<Kinds extends KindMap = KindMap, Procedures = unknown> {
  readonly "~kinds": Kinds;
  /** tRPC's record of the procedures that the program has besides Jobwire's. */
  readonly "~procedures": Procedures;
}
