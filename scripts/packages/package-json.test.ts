import { expect, test } from "vitest";
import type { PackageDefinition } from "./definitions.ts";
import { packageJson, type Versions } from "./package-json.ts";

const DEFINITION: PackageDefinition = {
  name: "some",
  description: "Something.",
  folder: "some",
  entries: [
    { subpath: ".", file: "server/index.ts" },
    { subpath: "./react", file: "client/react.tsx", optional: true },
  ],
  commands: { some: "server/main.ts" },
  peers: ["zod"],
  node: 24,
  keywords: ["things"],
  compilerOptions: {},
};
const VERSIONS: Versions = {
  own: "1.2.3",
  license: "MIT",
  installed: { ws: "8.0.1", zod: "4.6.7", react: "19.3.1", "socket.io": "4.8.4" },
  ranges: { zod: "^4.1.0", "socket.io": "=" },
};
const needs = (always: string[], optional: string[]) => ({
  always: new Set(always),
  optional: new Set(optional),
});

test("packages of an optional entry alone are optional peers, the others dependencies", () => {
  const written = packageJson(
    DEFINITION,
    needs(["zod", "ws", "socket.io"], ["ws", "react"]),
    VERSIONS,
  );
  expect(written).toEqual({
    name: "some",
    version: "1.2.3",
    description: "Something.",
    keywords: ["things"],
    license: "MIT",
    type: "module",
    exports: {
      ".": { types: "./server/index.d.ts", default: "./server/index.js" },
      "./react": { types: "./client/react.d.ts", default: "./client/react.js" },
      "./package.json": "./package.json",
    },
    bin: { some: "bin/some.js" },
    dependencies: { "socket.io": "4.8.4", ws: "^8.0.1" },
    peerDependencies: { react: "^19.3.1", zod: "^4.1.0" },
    peerDependenciesMeta: { react: { optional: true } },
    engines: { node: ">=24" },
    publishConfig: { access: "public" },
  });
});

test("a package that the repository does not install has no version", () => {
  expect(() => packageJson(DEFINITION, needs(["left-pad"], []), VERSIONS)).toThrow(
    "some imports left-pad, which the package.json of the repository lacks.",
  );
});
