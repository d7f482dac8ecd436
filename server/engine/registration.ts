/** The declaration of an engine, which is known before the engine is loaded, and its entry in the registry. */
import type { Clock } from "#shared/clock.ts";
import type { SettingsOf, Variables } from "#shared/variables.ts";
import type { Backup, Restored } from "./backup.ts";
import type { Capabilities, Engine } from "./contract.ts";
import type { Examine } from "./examination.ts";
import type { TransferSource } from "./transfer.ts";
import type { TenantWeights } from "./turns.ts";

export interface EngineDeclaration {
  /** For people: `sqlite`. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Its environment variables. */
  readonly variables: Variables;
  /** The variable that selects this engine when it is set. Absent: it is the default. */
  readonly selectedBy?: string;
}

/** The values of an engine's variables. The one that selects it is set. */
type EngineSettingsOf<D extends EngineDeclaration> = {
  [N in keyof SettingsOf<D["variables"]>]: N extends D["selectedBy"]
    ? NonNullable<SettingsOf<D["variables"]>[N]>
    : SettingsOf<D["variables"]>[N];
};

export interface OpenOptions {
  /** Measures delays and leases, in milliseconds, where the engine has a clock of its own for them. */
  clock?: (() => number) | undefined;
  /** Calls back when `clock` says so. Default: by the machine's clock. */
  after?: Clock["after"] | undefined;
  /** Of tenants in the queue. Default: each has 1. */
  weights?: TenantWeights | undefined;
  /**
   * Kinds whose jobs run outside of the processes that have the data open, so that their leases go on when one opens them. Default: none.
   */
  elsewhere?: ReadonlySet<string> | undefined;
  /** Called for each group of writes that was stored at once, with the number of these. Never throws. */
  onGroup?: ((size: number) => void) | undefined;
}

interface Operations<Settings> {
  open(settings: Settings, options: OpenOptions): Promise<Engine>;
  /** Examines what `open` would open, for `jobwire doctor`. */
  readonly examine: Examine<Settings>;
  /**
   * As `Engine.backup`, of data that no process has open, without an upgrade of them. Absent: the store is backed up by means of
   * its own.
   */
  backUp?(settings: Settings, path: string): Promise<Backup>;
  /**
   * Stores what a backup holds where nothing is stored. Rejects with `BAD_REQUEST` for a file that is no whole backup or of a
   * newer version, and with `DATA_UNUSABLE` where something is stored; then nothing is changed.
   */
  restore?(settings: Settings, path: string): Promise<Restored>;
  /** Opens all that it stores, to be moved to another engine. Absent: no data can be moved from it. */
  openExport?(settings: Settings): Promise<TransferSource>;
  /** Stores all that another engine stored. Absent: no data can be moved to it. */
  importFrom?(
    source: TransferSource,
    settings: Settings,
  ): Promise<{ jobs: number; batches: number }>;
}

/** Settings are those of all engines: an engine reads its own. */
export type EngineRegistration = EngineDeclaration & Operations<object>;

/** Keeps the types of an engine's settings inside the registration. */
export function registerEngine<
  const D extends EngineDeclaration & { readonly selectedBy?: keyof D["variables"] },
>(declaration: D, operations: Operations<EngineSettingsOf<D>>): D & EngineRegistration {
  // Sound because `selectEngine` and `migrateData` use an engine only where its selecting variable is set.
  return { ...declaration, ...(operations as Operations<object>) };
}
