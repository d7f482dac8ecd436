/** The tables of docs/http.md, made from the routes of the API. Prints them. */
import { OF_API } from "#server/auth/permissions.ts";
import { ROUTES_OF_API, WITHOUT_ROUTE } from "#server/transports/api/routes.ts";
import { tableOf } from "./config-table.ts";

export function routesTable(): string {
  return tableOf([
    ["route", "", "as JSON", "as a stream"],
    ...ROUTES_OF_API.map(({ method, path, summary, answer, stream }) => [
      `\`${method} ${path}\``,
      summary,
      answer === undefined ? "" : needOf(answer.procedure),
      stream === undefined ? "" : `${needOf(stream.procedure)}: \`${stream.event}\``,
    ]),
  ]);
}

export function withoutRouteTable(): string {
  return tableOf([
    ["procedure", "why it has no route"],
    ...Object.entries(WITHOUT_ROUTE).map(([path, why]) => [`\`${path}\``, why]),
  ]);
}

function needOf(procedure: string): string {
  const needed = OF_API.get(procedure) ?? "";
  return needed.includes(" ") || needed === "principal" || needed === "pause"
    ? needed
    : `\`${needed}\``;
}

if (import.meta.main) console.log(`${routesTable()}\n\n${withoutRouteTable()}`);
