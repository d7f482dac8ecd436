/** `jobwire kinds`: what jobs the server can run. */
import type { Command } from "commander";
import type { CommandContext } from "#server/command/context.ts";
import { printable } from "#server/command/printable.ts";
import { formatTable } from "#server/command/table.ts";
import type { KindInfo } from "#shared/api.ts";
import { AppError } from "#shared/errors.ts";
import { columnsOf } from "#shared/csv/columns.ts";
import { simplified } from "#shared/json-schema.ts";
import { type Api, openApi } from "./api.ts";

export function addKindsCommand(program: Command, { env, stdout }: CommandContext): void {
  program
    .command("kinds")
    .description("prints the kinds of jobs that the server runs, or the fields of one")
    .argument("[kind]", "its fields")
    .option("--json", "print their records as JSON, one a line, with their schemas")
    .action(async (name: string | undefined, { json }: { json?: true }) => {
      const api = openApi(env);
      const all = name === undefined ? await kindsOf(api) : [await findKind(api, name)];
      if (json) return void stdout.write(all.map((each) => `${JSON.stringify(each)}\n`).join(""));
      const [only] = all;
      stdout.write(name === undefined || only === undefined ? tableOf(all) : fieldsOf(only));
    });
}

const kindsOf = (api: Api) => api.call<KindInfo[]>("GET", "/kinds");

export async function findKind(api: Api, name: string): Promise<KindInfo> {
  const kinds = await kindsOf(api);
  const found = kinds.find((kind) => kind.name === name);
  if (found !== undefined) return found;
  const names = kinds.map((kind) => kind.name).join(", ");
  throw new AppError("NOT_FOUND", `The server has no kind ${JSON.stringify(name)}, but: ${names}.`);
}

/** Of a server that has but one. */
export async function onlyKind(api: Api): Promise<KindInfo | undefined> {
  const [only, ...others] = await kindsOf(api);
  return others.length === 0 ? only : undefined;
}

function tableOf(kinds: readonly KindInfo[]): string {
  if (kinds.length === 0) return "The server runs no kinds.\n";
  const rows = kinds.map(({ name, description }) => [name, printable(description)]);
  return formatTable(["KIND", "DESCRIPTION"], rows);
}

function fieldsOf({ name, description, input }: KindInfo): string {
  const columns = columnsOf(simplified(input));
  const about = `${name}: ${printable(description)}\n`;
  if (columns.length === 0) return `${about}Its input has no named fields; give it with --input.\n`;
  const rows = columns.map(({ name: field, isRequired, schema }) => [
    printable(field),
    typeOf(schema),
    isRequired ? "yes" : "",
    printable(schema.description ?? ""),
  ]);
  return `${about}\n${formatTable(["FIELD", "TYPE", "NEEDED", "DESCRIPTION"], rows)}`;
}

function typeOf({ type, enum: values, anyOf, items }: ReturnType<typeof simplified>): string {
  if (values !== undefined) return values.map((value) => printable(String(value))).join("|");
  if (anyOf !== undefined) return anyOf.map(typeOf).join("|");
  if (type === "array") return `list of ${items === undefined ? "JSON" : typeOf(items)}`;
  // Simplified schemas have one type at most.
  return typeof type !== "string" || type === "object" ? "JSON" : type;
}
