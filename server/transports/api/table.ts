/** The routes of one server, with what is computed of each once, when it is first used: all of them delay a start by 7 ms. */
import { createFrames, type Frames } from "./frames.ts";
import { type Field, fieldsOf } from "./input-fields.ts";
import { createMatch, type Matched } from "./match.ts";
import type { Answering, Method, Route, Streaming } from "./route.ts";
import { ROUTES_OF_API } from "./routes.ts";

export interface Served {
  route: Route;
  /** Present as in the route. `fields` is absent where the whole body is the input. */
  answer?: Answering & { fields: readonly Field[] | undefined };
  stream?: Streaming & { fields: readonly Field[]; frames: Frames };
}

export interface Table {
  find(path: string): Matched | undefined;
  servedBy(route: Route): Served;
  readonly routes: readonly Route[];
}

export function createTable(routes: readonly Route[] = ROUTES_OF_API): Table {
  const framesOf = new Map<string, Frames>();
  const served = new Map<Route, Served>();
  function servedBy(route: Route): Served {
    const known = served.get(route) ?? serve(route, framesOf);
    served.set(route, known);
    return known;
  }
  return { find: createMatch(routes), servedBy, routes };
}

function serve(route: Route, framesOf: Map<string, Frames>): Served {
  const { answer, stream } = route;
  const each: Served = { route };
  if (answer !== undefined) each.answer = { ...answer, fields: fieldsOf(route, answer.input) };
  if (stream !== undefined) {
    const frames = framesOf.get(stream.event) ?? createFrames(stream.event);
    framesOf.set(stream.event, frames);
    each.stream = { ...stream, fields: fieldsOf(route, stream.input) ?? [], frames };
  }
  return each;
}

/** The methods of a path, for the header `Allow`. */
export function allowed(methods: Iterable<Method>): string {
  const all = new Set<string>(methods);
  if (all.has("GET")) all.add("HEAD");
  return [...all, "OPTIONS"].join(", ");
}
