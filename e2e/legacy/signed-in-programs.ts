/** The programs of the older system's guide for a server where callers sign in: one line of each is that of docs/clients.md. */
import { readFileSync } from "node:fs";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import type { RunningServer } from "#e2e/server.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { JobEvent } from "#shared/events.ts";
import { articleAbout } from "#e2e/browser/samples.ts";
import { type Claims, tokenFor } from "#test/transports/signed-in.fixture.ts";

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const CONSOLE = textOf("console-snippet.txt");
const SETTINGS = textOf("settings-snippet.txt");
const PYTHON = textOf("guide.py");
const CONNECT_JS = /^const socket = io\(.*$/m;
const CONNECT_PY = /^sio\.connect\(.*$/m;
const HOST = "jobs.example.com";

const [, section = ""] = textOf("../../docs/clients.md").split(
  "\n### Programs of the older system's guide\n",
);
const documented = (language: string) =>
  [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*)\n\`\`\`$`, "gm"))].map(
    ([, line = ""]) => line,
  );
const [OWN_PAGE = "", OTHER_ORIGIN = ""] = documented("js");
const [WITH_TOKEN = "", WITH_FUNCTION = "", ON_REFUSAL = ""] = documented("python");
export const LINES = { OWN_PAGE, OTHER_ORIGIN, WITH_TOKEN, WITH_FUNCTION, ON_REFUSAL };

/** The line of the guide's own programs. */
export const GUIDE_LINES = {
  js: CONNECT_JS.exec(CONSOLE)?.[0],
  python: CONNECT_PY.exec(PYTHON)?.[0],
};

const hostOf = ({ url }: RunningServer) => new URL(url).host;

/** The guide's program for the console of a browser. */
export function consoleProgram(server: RunningServer, line: string, jobId: string): string {
  return CONSOLE.replace(CONNECT_JS, line.replace(HOST, hostOf(server))).replace(
    "your-job-id-here",
    jobId,
  );
}

/** The same program with the connection of the guide's frontend, whose URL is a setting of its own. */
export function settingsProgram(server: RunningServer, jobId: string): string {
  const url = `const WS_URL = "wss://${hostOf(server)}";\n`;
  return (url + CONSOLE.replace(CONNECT_JS, SETTINGS)).replace("your-job-id-here", jobId);
}

/** `before`: lines that go before the line that connects. */
export function pythonProgram(
  server: RunningServer,
  line: string,
  options: { jobId?: string; before?: string } = {},
): string {
  const { jobId = "no job", before = "" } = options;
  const connect = `${before}\n${line.replace(HOST, hostOf(server))}`;
  return PYTHON.replace(CONNECT_PY, connect).replace("your-job-id", jobId);
}

/** The calls of a user with a token. */
export async function openUser(server: RunningServer, user: string, claims: Claims = {}) {
  const headers = { authorization: `Bearer ${await tokenFor(user, claims)}` };
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson, headers })],
  });
  const article = (target: string, anchorText: string) => ({
    kind: "article",
    input: articleAbout(server.url, { target, anchorText }),
  });
  return {
    trpc,
    /** An article that waits for a decision when it is written. */
    async createUndecided(): Promise<string> {
      return (await trpc.job.create.mutate(article("thin", "our shop"))).id;
    },
    async createBatch(): Promise<string> {
      const jobs = ["planters", "pots", "herbs"].map((anchor) => article("target", anchor));
      return (await trpc.batch.create.mutate({ name: "Three", jobs })).id;
    },
    async statusOf(jobId: string): Promise<string> {
      return (await trpc.job.get.query({ jobId })).status;
    },
    async logOf(jobId: string): Promise<JobEvent[]> {
      return (await trpc.job.events.query({ jobId, limit: 1000 })).items;
    },
  };
}
