/** The registry of kinds that the page has parts of its own for. All others are shown and asked for by their schemas. */
import type { KindInfo } from "#shared/api.ts";
import { article } from "./article/kind.ts";
import type { KindParts } from "./kind-parts.ts";

const KINDS: ReadonlyMap<string, KindParts> = new Map([["article", article]]);

/** The parts for a kind of the server. */
export function partsOf(info: KindInfo): KindParts | undefined {
  const parts = KINDS.get(info.name);
  return parts?.fits(info) === true ? parts : undefined;
}

/** The view of a record, whose kind the server may have no more. It checks what it shows. */
export function loadViewOf(kind: string): KindParts["loadView"] | undefined {
  return KINDS.get(kind)?.loadView;
}
