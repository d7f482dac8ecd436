/** The configuration, as `start` reads it. */
import { type Config, ConfigError, loadConfig, VARIABLES } from "#server/config.ts";
import { assertNotExposed } from "#server/exposure.ts";
import { tracingOf } from "#server/start-tracing.ts";
import { fail, type Finding, ok, warn } from "#shared/finding.ts";
import { isLoopback } from "#shared/loopback.ts";

const NAME = "configuration";
/** Variables of the commands themselves. */
const OF_COMMANDS = new Set(["JOBWIRE_TOKEN", "JOBWIRE_URL"]);
/** Proxies mostly cut a connection that was idle for 60 seconds. */
const LONGEST_IDLE_MS = 55_000;

/** `config`: absent if the server would not start with it. */
export function checkConfiguration(env: NodeJS.ProcessEnv): {
  config?: Config;
  findings: Finding[];
} {
  const misnamed = prefixed(env);
  try {
    const config = loadConfig(env);
    const findings = [...misnamed, ...traces(env), ...exposed(config), ...doubtful(config)];
    return { config, findings: findings.length > 0 ? findings : [ok(NAME, "is valid")] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const findings = error.lines.map((line) =>
      fail(NAME, line, ["Change or unset it.", "docs/configuration.md#configuration"]),
    );
    return { findings: [...findings, ...traces(env), ...misnamed] };
  }
}

/** The variables of OpenTelemetry, which stop a start too. */
function traces(env: NodeJS.ProcessEnv): Finding[] {
  try {
    tracingOf(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = [
      "Change or unset it. A program that calls createJobwire and has an SDK of its own reads them itself: then this is no failure.",
      "docs/tracing.md#switch-them-on",
    ] as const;
    return error.lines.map((line) => fail(NAME, line, advice));
  }
}

/** A program with an `authenticate` of its own has not been loaded, so it cannot be asked. */
function exposed(config: Config): Finding[] {
  try {
    assertNotExposed(config, false);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = [
      "A program that passes `authenticate` to createJobwire asks them itself: then this is no failure.",
      "docs/operations.md#access",
    ] as const;
    return error.lines.map((line) => fail(NAME, line, advice));
  }
}

/** Variables of Jobwire have no prefix. */
function prefixed(env: NodeJS.ProcessEnv): Finding[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("JOBWIRE_") && !OF_COMMANDS.has(name))
    .map((name) => {
      const meant = name.slice("JOBWIRE_".length);
      const hint = Object.hasOwn(VARIABLES, meant) ? `; did you mean ${meant}?` : "";
      return warn(NAME, `${name} has no effect${hint}`, [
        "Variables of Jobwire have no prefix.",
        "docs/configuration.md#configuration",
      ]);
    });
}

function doubtful(config: Config): Finding[] {
  const findings: Finding[] = [];
  if (config.ALLOW_ANONYMOUS && !isLoopback(config.HOST) && config.ROLE !== "worker") {
    findings.push(
      warn(
        NAME,
        "ALLOW_ANONYMOUS: every caller that reaches the server sees and changes all jobs",
        [
          "Let callers sign in, unless nothing but a proxy that signs people in reaches the server.",
          "docs/operations.md#access",
        ],
      ),
    );
  }
  if (config.PING_INTERVAL_MS > LONGEST_IDLE_MS) {
    findings.push(
      warn(NAME, `PING_INTERVAL_MS=${config.PING_INTERVAL_MS} is longer than most proxies wait`, [
        "Leave it at 25000, or make it shorter than the idle limit of the proxy.",
        "docs/troubleshooting.md#frequent-disconnections",
      ]),
    );
  }
  if (config.LOG_LEVEL === "silent" || config.LOG_LEVEL === "fatal") {
    findings.push(
      warn(NAME, `LOG_LEVEL=${config.LOG_LEVEL}: the log will not say why something fails`, [
        "Set it to info or warn.",
        "docs/operations.md#shutdown-and-log",
      ]),
    );
  }
  return findings;
}
