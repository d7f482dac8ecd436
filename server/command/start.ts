/** `jobwire start` and `jobwire worker`: a server, or a worker, for the kinds that a module exports. */
import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import { kindsOf, loadModule, type Module } from "./load-module.ts";
import { UsageError } from "./usage-error.ts";

export function addStartCommands(program: Command, { env }: CommandContext): void {
  program
    .command("start")
    .description("starts a server that runs the kinds of a module")
    .argument("<module>", "exports what defineKind or createJobwire returned: ./jobs.ts")
    .action((path: string) => start(path, env));
  program
    .command("worker")
    .description("runs the kinds of a module, without serving clients; needs REDIS_URL")
    .argument("<module>", "as for start")
    .action((path: string) => {
      // Before the module loads: it may create its Jobwire with the environment of the process.
      env.ROLE = "worker";
      return start(path, env);
    });
}

/** Resolves when the server listens. Ends the process if it cannot. */
async function start(path: string, env: NodeJS.ProcessEnv): Promise<void> {
  // The other commands need no server.
  const { starterOf } = await import("#server/starter.ts");
  const { runProgram, runUntilSignal } = await import("#server/program.ts");
  let module: Module;
  try {
    module = await loadModule(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return runUntilSignal(env, () => Promise.reject(error));
  }
  const starters = new Set(
    Object.values(module)
      .map(starterOf)
      .filter((each) => each !== undefined),
  );
  const [own, another] = starters;
  if (another !== undefined) {
    throw new UsageError(
      `${path} exports more than one Jobwire. Export the one that is to be started.`,
    );
  }
  if (own !== undefined) return runUntilSignal(env, own);
  const kinds = kindsOf(module);
  if (kinds.length === 0) {
    throw new UsageError(
      `${path} exports no kind of job. Export what defineKind returns: \`export const mail = defineKind({ … })\`.`,
    );
  }
  await runProgram(env, { kinds });
}
