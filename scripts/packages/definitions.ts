/** The packages that are published, and the files that programs may import from each. The rest follows from imports. */

export interface Entry {
  /** As `exports` of `package.json` names it: ".", "./react". */
  subpath: string;
  /** From the root of the repository. */
  file: string;
  /** True: packages that only entries like this one need are optional peers. Programs that import it install them. */
  optional?: boolean;
}

export interface PackageDefinition {
  name: string;
  description: string;
  /** Below `dist/packages/`, and below this folder for the README. */
  folder: string;
  entries: readonly Entry[];
  /** The file that is the program, by the name of the command. */
  commands?: Readonly<Record<string, string>>;
  /**
   * Modules that are imported when a variable asks for what they do. Packages that they alone need are optional peers, and the
   * module that imports them says what to install.
   */
  onDemand?: readonly string[];
  /** Packages that a program and this package must share. */
  peers?: readonly string[];
  /** The oldest major version of Node. Absent: it also runs in browsers. */
  node?: number;
  /** For programs that only import values: the modules do nothing when they are loaded. */
  sideEffects?: false;
  keywords: readonly string[];
  /** Options of the compiler besides those of all packages. */
  compilerOptions: Readonly<Record<string, unknown>>;
}

export const PACKAGES: readonly PackageDefinition[] = [
  {
    name: "jobwire",
    description:
      "The job server whose progress cannot be lost: typed, resumable job streams over tRPC, SSE and Socket.IO.",
    folder: "jobwire",
    entries: [
      { subpath: ".", file: "server/index.ts" },
      { subpath: "./bullmq", file: "server/bullmq/index.ts" },
      { subpath: "./testing", file: "server/testing/index.ts" },
      { subpath: "./article", file: "server/kinds/article/index.ts", optional: true },
    ],
    commands: { jobwire: "server/command/main.ts" },
    onDemand: ["server/tracing/sdk.ts"],
    // The schemas of kinds are a program's own.
    peers: ["zod"],
    node: 24,
    keywords: ["jobs", "queue", "progress", "streaming", "trpc", "socket.io", "sse"],
    compilerOptions: { target: "ES2024", types: ["node"] },
  },
  {
    name: "@jobwire/client",
    description: "The typed client of Jobwire: calls, resumable streams of jobs, React hooks.",
    folder: "client",
    entries: [
      { subpath: ".", file: "client/lib/index.ts" },
      { subpath: "./react", file: "client/lib/react.tsx", optional: true },
      { subpath: "./legacy", file: "client/lib/legacy-client.ts", optional: true },
    ],
    sideEffects: false,
    keywords: ["jobs", "progress", "streaming", "client", "react", "trpc"],
    compilerOptions: { target: "ES2022", types: [] },
  },
];

/** For packages whose range in the published packages is not `^` and the version of the lock file. */
export const RANGES: Readonly<Record<string, string>> = {
  // Tested with the version of the lock file alone: we use a private field of its sockets (`session-restore.ts`).
  "socket.io": "=",
  // The oldest with all that we use: the consumers of `e2e/packages/` install exactly these.
  // The first that takes React 19.
  "@tanstack/react-query": "^5.52.1",
  react: ">=19.2.0",
  "socket.io-client": "^4.6.0",
  // The first that the packages of the article kind take.
  zod: "^4.1.8",
};
