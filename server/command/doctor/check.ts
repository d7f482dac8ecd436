/** Checks: each runs by itself, within a time, and none can keep the others from their findings. */
import { messageOf } from "#shared/errors.ts";
import { fail, type Finding } from "#shared/finding.ts";

export interface Check {
  name: string;
  /** `signal` aborts when the check has used up its time. */
  run(signal: AbortSignal): Promise<Finding | readonly Finding[]>;
  /** In milliseconds. Default: `CHECK_TIMEOUT_MS`. */
  timeoutMs?: number;
  /** It blocks the thread, so it runs after all others. */
  last?: true;
}

const CHECK_TIMEOUT_MS = 20_000;

/** Runs all of them at once, and calls back with the findings in their order. Never rejects. */
export async function runChecks(
  checks: readonly Check[],
  onFinding: (finding: Finding) => void,
): Promise<void> {
  const running = checks.filter(({ last }) => !last).map(runCheck);
  for (const findings of running) for (const finding of await findings) onFinding(finding);
  for (const check of checks.filter(({ last }) => last)) {
    for (const finding of await runCheck(check)) onFinding(finding);
  }
}

async function runCheck(check: Check): Promise<readonly Finding[]> {
  const { name, run, timeoutMs = CHECK_TIMEOUT_MS } = check;
  const late = new AbortController();
  const { promise: timedOut, resolve } = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    resolve([broken(name, `no answer within ${timeoutMs / 1000} s`)]);
    late.abort();
  }, timeoutMs);
  try {
    return await Promise.race([Promise.try(run, late.signal).then(asList), timedOut]);
  } catch (error) {
    return [broken(name, messageOf(error))];
  } finally {
    clearTimeout(timer);
  }
}

function asList(found: Finding | readonly Finding[]): readonly Finding[] {
  return [found].flat();
}

function broken(name: string, why: string): Finding {
  return fail(name, `the check did not end well: ${why}`, [
    "Run it again. If it stays like this, the part that it checks hangs or answers nonsense.",
    "docs/troubleshooting.md#a-check-of-the-doctor-does-not-end",
  ]);
}
