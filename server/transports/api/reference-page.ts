/** The OpenAPI document as a page to read: HTML without scripts, and nothing from elsewhere. */
import { createHash } from "node:crypto";
import { ERROR_CODES } from "#shared/errors.ts";
import { STATUS } from "#server/transports/requests/status.ts";
import type { OpenApi, Operation, Parameter } from "./document.ts";
import type { JsonSchema } from "./json-schema.ts";
import { TITLES } from "./problem.ts";

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4rem; font-family: ui-monospace, monospace; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; overflow-wrap: anywhere; }
`;

/** No page needs more than its own style. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Titles and descriptions of kinds are any text. */
function text(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export function pageOf(document: OpenApi): string {
  const { info, tags, paths, components, servers } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${text(name)}">${text(name)}</h2><p>${text(description)}</p>${own.map(sectionOf).join("")}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${text(name)}"><summary>${text(name)}</summary>${schemaOf(schema)}</details>`,
  );
  const codes = ERROR_CODES.map(
    (code) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${STATUS[code]}</td><td>${text(TITLES[code])}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>API of ${text(info.title)}</title><style>${STYLE}</style></head>
<body><main><h1>${text(info.title)} ${text(info.version)}</h1><p>${text(info.description)}</p>
<p>All paths begin with <code>${text(servers[0]?.url ?? "")}</code>. The same as a document for programs:
<a href="${text(servers[0]?.url ?? "")}/openapi.json">openapi.json</a>.</p>
${groups.join("\n")}
<h2 id="errors">Errors</h2><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead>
<tbody>${codes.join("")}</tbody></table>
<h2 id="schemas">Schemas</h2>${schemas.join("\n")}
</main></body></html>
`;
}

function sectionOf({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  const answers = Object.entries(responses).map(
    ([status, { description: meaning, content = {} }]) =>
      `<tr><td>${text(status)}</td><td>${text(meaning)}</td><td>${Object.entries(content)
        .map(([type, { schema }]) => `<code>${text(type)}</code> ${linksIn(schema)}`)
        .join("<br>")}</td></tr>`,
  );
  return `<details id="${text(operationId)}"><summary><b>${method.toUpperCase()}</b> <code>${text(path)}</code> ${text(summary)}</summary>
${description === undefined ? "" : `<p>${text(description)}</p>`}
${parameters.length === 0 ? "" : `<h3>Parameters</h3><table>${parameters.map(rowOf).join("")}</table>`}
${body === undefined ? "" : `<h3>Body</h3>${linksIn(body)}${schemaOf(body)}`}
<h3>Answers</h3><table>${answers.join("")}</table></details>`;
}

function rowOf({ name, in: place, required, description = "", schema }: Parameter): string {
  const need = required ? "required" : "";
  return `<tr><td><code>${text(name)}</code></td><td>${place} ${need}</td><td>${text(description)} <code>${text(JSON.stringify(schema))}</code></td></tr>`;
}

function schemaOf(schema: JsonSchema): string {
  return `<pre>${text(JSON.stringify(schema, undefined, 2))}</pre>`;
}

/** The named schemas that a schema is made of. */
function linksIn(schema: JsonSchema): string {
  const names = [...JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
  return [...new Set(names.map(([, name = ""]) => name))]
    .map((name) => `<a href="#schema-${text(name)}">${text(name)}</a>`)
    .join(", ");
}
