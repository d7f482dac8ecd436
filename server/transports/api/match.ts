/** Finds the routes of a path. */
import type { Method, Route } from "./route.ts";

export const API = "/api/v1";

export interface Matched {
  /** Those of the path, by method. */
  routes: ReadonlyMap<Method, Route>;
  /** Decoded. */
  params: Readonly<Record<string, string>>;
}

/** Returns `undefined` for a path of no route. `path` begins below `API`. */
export type Match = (path: string) => Matched | undefined;

export function createMatch(table: readonly Route[]): Match {
  const paths = new Map<string, { parts: string[]; routes: Map<Method, Route> }>();
  for (const route of table) {
    const known = paths.get(route.path);
    if (known !== undefined) known.routes.set(route.method, route);
    else {
      const routes = new Map([[route.method, route] as const]);
      paths.set(route.path, { parts: route.path.split("/"), routes });
    }
  }
  const all = [...paths.values()];

  return (path) => {
    const given = path.split("/");
    for (const { parts, routes } of all) {
      const params = parts.length === given.length ? paramsOf(parts, given) : undefined;
      if (params !== undefined) return { routes, params };
    }
    return undefined;
  };
}

/** The names in braces of a path. */
export function parametersIn(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

function paramsOf(
  parts: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [at, part] of parts.entries()) {
    const text = given[at] ?? "";
    const [name] = parametersIn(part);
    if (name === undefined) {
      if (part !== text) return undefined;
    } else {
      const value = decoded(text);
      if (value === undefined || value === "") return undefined;
      params[name] = value;
    }
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
