/** Paths of sources and of what becomes of them. All are relative to the root of the repository or package, with slashes. */
import { posix } from "node:path";

/** The name of the package that a specifier imports: `@trpc/server` of `@trpc/server/http`. `undefined`: none, or Node's. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:[.#/]|node:)/.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

/** The file that a module in `from` imports; `undefined` for packages. */
export function fileOf(specifier: string, from: string): string | undefined {
  // The `imports` of `package.json`: `#shared/job.ts` is `shared/job.ts`.
  if (specifier.startsWith("#")) return specifier.slice(1);
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(from), specifier);
}

/** The way from a module to another file: `../../shared/job.ts`. */
export function relativePath(file: string, from: string): string {
  const path = posix.relative(posix.dirname(from), file);
  return path.startsWith(".") ? path : `./${path}`;
}

export const isSource = (file: string): boolean => /\.tsx?$/.test(file);

/** The file that the compiler makes of `job.ts`: `job.js`. */
export const compiled = (file: string): string => file.replace(/\.tsx?$/, ".js");

/** `job.d.ts` for `job.ts` and `job.js`. */
export const declarationOf = (file: string): string => file.replace(/\.(?:tsx?|js)$/, ".d.ts");
