import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AnyKind, defineKind, delivered } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { openApiServer } from "#test/transports/api.fixture.ts";
import { waits } from "#test/jobs/waits.ts";
import { documentOf, type OpenApi } from "./document.ts";
import { pageOf } from "./reference-page.ts";
import { createTable } from "./table.ts";

const kindOf = (name: string, input: z.ZodType, output: z.ZodType = z.unknown()): AnyKind =>
  defineKind({
    name,
    description: `<script>alert("${name}")</script>`,
    input,
    output,
    details: z.object({ done: z.number() }),
    title: () => name,
    start: { progress: 0, message: "" },
    run: async () => delivered("", {}),
  });

const Tree = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree);
  },
});
const Named = z.object({ at: z.iso.datetime() }).meta({ id: "a/b~c d" });

/** Kinds whose schemas are made to break a document. */
const ODD: readonly AnyKind[] = [
  waits,
  kindOf("tree", Tree, Tree),
  kindOf("Tree", z.object({ left: Tree, right: Tree.optional() })),
  kindOf("named", z.object({ one: Named, two: Named })),
  kindOf("Job", z.union([z.string(), z.array(z.int().min(3)), z.null()])),
  kindOf("words", z.record(z.string(), z.tuple([z.string(), z.literal(7)]))),
  kindOf(
    "refs",
    z.object({ $ref: z.string(), default: z.object({ $ref: z.literal("#") }) }).meta({
      examples: [{ $ref: "#/nowhere", default: { $ref: "#" } }],
    }),
  ),
  kindOf("tree_Input", z.discriminatedUnion("type", [z.object({ type: z.literal("a") })])),
  kindOf("any", z.any()),
];

function odd(kinds: readonly AnyKind[], basePath = ""): OpenApi {
  const { infos } = createKindRegistry(kinds);
  return documentOf({ table: createTable(), kinds: infos, system: { version: "1.2.3" }, basePath });
}

/** The validator takes a property that is named `$ref` for a reference. */
const VALIDATED = ODD.filter(({ name }) => name !== "refs");

test.each([
  ["with odd kinds", VALIDATED],
  ["without kinds", []],
] as const)("[N7] the document of a server %s is valid OpenAPI 3.1", async (_, kinds) => {
  const document = odd(kinds);
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  const names = new Set(Object.keys(document.components.schemas));
  const refs = [
    ...JSON.stringify(document.paths).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g),
  ];
  expect(refs.length).toBeGreaterThan(30);
  expect(refs.map(([, name = ""]) => name).filter((name) => !names.has(name))).toEqual([]);
});

test("[N7] definitions of kinds are components, and data that look like references stay", () => {
  const { schemas } = odd(ODD).components;
  expect(schemas["Kind.tree.Input"]).toMatchObject({
    properties: { children: { items: { $ref: "#/components/schemas/Kind.tree.Input" } } },
  });
  expect(schemas["Kind.named.Input"]).toMatchObject({
    properties: { one: { $ref: "#/components/schemas/Kind.named.Input.a_b_c_d" } },
  });
  expect(schemas["Kind.named.Input.a_b_c_d"]).toMatchObject({
    properties: { at: { type: "string" } },
  });
  expect(schemas["Kind.refs.Input"]).toMatchObject({
    properties: { $ref: { type: "string" }, default: { properties: { $ref: { const: "#" } } } },
    examples: [{ $ref: "#/nowhere", default: { $ref: "#" } }],
  });
});

test("[N7] the body of a new job is one of the schemas of the kinds", () => {
  const { paths, components } = odd([waits]);
  expect(paths["/jobs"]?.post?.requestBody?.content["application/json"]?.schema).toEqual({
    oneOf: [{ $ref: "#/components/schemas/Kind.waits.Job" }],
    discriminator: {
      propertyName: "kind",
      mapping: { waits: "#/components/schemas/Kind.waits.Job" },
    },
  });
  expect(components.schemas["Kind.waits.Job"]).toMatchObject({
    required: ["input", "kind"],
    properties: {
      kind: { const: "waits" },
      input: { $ref: "#/components/schemas/Kind.waits.Input" },
      priority: { type: "integer" },
      runAt: { type: "string", format: "date-time" },
    },
  });
});

test("[N7] the page shows each route and error, has no script, and escapes what kinds say", async () => {
  const document = odd(ODD, "/jobs");
  const page = pageOf(document);
  expect(page).not.toMatch(/<script|javascript:|\son\w+=|https?:\/\//i);
  expect(page).toContain("&lt;script&gt;");
  for (const methods of Object.values(document.paths)) {
    for (const { operationId } of Object.values(methods))
      expect(page).toContain(`id="${operationId}"`);
  }
  expect(page).toContain('id="KEY_REUSED"');
  expect(page).toContain("/jobs/api/v1/openapi.json");
});

test("[N7] the document and the page are served with a validator, to be asked for again cheaply", async () => {
  const { ask } = await openApiServer({ kinds: [waits] });
  for (const [path, type] of [
    ["/openapi.json", "application/json"],
    ["/docs", "text/html; charset=utf-8"],
  ] as const) {
    const first = await ask(path);
    expect([first.status, first.headers.get("content-type")]).toEqual([200, type]);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"/);
    const again = await ask(path, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await ask(path, { method: "HEAD" })).headers.get("etag")).toBe(etag);
    expect((await ask(path, { method: "POST" })).status).toBe(405);
  }
  const { headers } = await ask("/docs");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
});
