/** The checks on the machine of a server. */
import { keyPairFiles } from "#server/tls/variables.ts";
import { skip } from "#shared/finding.ts";
import type { Check } from "./check.ts";
import { checkCertificate } from "./local/certificate.ts";
import { checkConfiguration } from "./local/configuration.ts";
import { checkData } from "./local/data.ts";
import { checkMetricsPort, checkPort } from "./local/port.ts";
import { checkNode, checkOpenFiles } from "./local/process.ts";
import { checkKeySet, checkProvider } from "./local/provider.ts";

export function localChecks(env: NodeJS.ProcessEnv, now: () => Date): Check[] {
  const { config, findings } = checkConfiguration(env);
  const checks: Check[] = [
    { name: "node", run: async () => checkNode() },
    { name: "configuration", run: async () => findings },
  ];
  if (config === undefined) {
    const why = "nothing else is checked until the configuration is valid";
    return [...checks, { name: "data", run: async () => skip("data", why) }];
  }
  const { AUTH_JWKS_URL: keySet, OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = config;
  const files = keyPairFiles(config);
  const { METRICS_PORT: metricsPort } = config;
  if (config.ROLE !== "worker") {
    const { MAX_CONNECTIONS: connections } = config;
    checks.push({ name: "open files", run: async () => checkOpenFiles(connections) });
  }
  checks.push({ name: "port", run: (signal) => checkPort(config, signal) });
  if (metricsPort !== undefined) {
    checks.push({
      name: "metrics port",
      run: (signal) => checkMetricsPort(config, metricsPort, signal),
    });
  }
  if (files !== undefined) {
    checks.push({ name: "certificate", run: () => checkCertificate(files, now()) });
  }
  if (keySet !== undefined) {
    checks.push({ name: "token keys", run: (signal) => checkKeySet(keySet, signal) });
  }
  if (issuer !== undefined && clientId !== undefined) {
    checks.push({ name: "sign-in provider", run: () => checkProvider(issuer, clientId) });
  }
  // SQLite reads the embedded database on this thread.
  checks.push({ name: "data", run: () => checkData(config, now), timeoutMs: 60_000, last: true });
  return checks;
}
