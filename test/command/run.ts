/** Runs the command `jobwire` in this process. */
import { runCommand } from "#server/command/program.ts";

interface Surroundings {
  env?: NodeJS.ProcessEnv;
  isTTY?: boolean;
  now?: () => Date;
  /** The standard input. */
  input?: string | Uint8Array;
  /** Ctrl-C. */
  interrupt?: AbortSignal;
  /** Called with each text, on either output. */
  onWrite?: (text: string) => void;
}

export async function run(
  args: readonly string[],
  given: Surroundings = {},
): Promise<{ code: number; out: string; err: string }> {
  const { env = {}, isTTY = false, now = () => new Date(), input = "", interrupt, onWrite } = given;
  const written = { out: "", err: "" };
  const writeTo = (name: "out" | "err") => (text: string) => {
    written[name] += text;
    onWrite?.(text);
  };
  const code = await runCommand(args, {
    env,
    stdout: { isTTY, write: writeTo("out") },
    stderr: { isTTY, write: writeTo("err") },
    now,
    onInterrupt(listener) {
      interrupt?.addEventListener("abort", listener);
      return () => interrupt?.removeEventListener("abort", listener);
    },
    readInput: () => Promise.resolve(Buffer.from(input)),
  });
  return { code, ...written };
}
