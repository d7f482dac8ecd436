/** The registry of kinds: a line each. */
import type { AnyKind } from "./define.ts";

export interface KindOptions {
  fetchAllow: readonly string[];
  models: {
    anthropicApiKey?: string | undefined;
    openaiApiKey?: string | undefined;
    googleApiKey?: string | undefined;
    llmBaseUrl?: string | undefined;
    llmModel?: string | undefined;
  };
  offlinePaceMs: number;
}

export function createKinds(_options: KindOptions): ReadonlyMap<string, AnyKind> {
  return new Map();
}
