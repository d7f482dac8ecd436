/** The checks of a server from where its clients are: mostly of a proxy between. */
import { type Finding, skip } from "#shared/finding.ts";
import type { Check } from "./check.ts";
import { checkAddress, checkReadiness, checkVersion } from "./remote/address.ts";
import { checkCaches, checkClock, UNCACHED } from "./remote/answers.ts";
import { ask } from "./remote/ask.ts";
import { checkPeerCertificate } from "./remote/certificate.ts";
import { checkCookie } from "./remote/cookie.ts";
import { checkEventStream } from "./remote/event-stream.ts";
import { checkIdle } from "./remote/idle.ts";
import { checkOrigin } from "./remote/origin.ts";
import { checkPolling } from "./remote/polling.ts";
import { checkBody, checkLongAddress } from "./remote/sizes.ts";
import { checkSocketIo } from "./remote/socketio-websocket.ts";
import type { Target } from "./remote/target.ts";
import { checkTrpcWebSocket } from "./remote/trpc-websocket.ts";

export interface RemoteOptions {
  url: URL;
  token?: string | undefined;
  /** Of a page that is to use the server. */
  origin?: string | undefined;
  /** How long connections are held open; 0 holds none. */
  idleMs: number;
  /** The certificates to trust. Absent: those of the machine. */
  trusted?: Target["trusted"];
  now: () => Date;
  /** How long the first event of a stream may take. */
  firstEventMs?: number | undefined;
}

/** The first findings, and the checks that are worth running after them. */
export async function remoteChecks(
  options: RemoteOptions,
  signal: AbortSignal,
): Promise<{ findings: Finding[]; checks: Check[] }> {
  const { url, token, origin, idleMs, trusted, now, firstEventMs } = options;
  const findings: Finding[] = [];
  let verifies = true;
  if (url.protocol === "https:") {
    const { finding, isGood } = await checkPeerCertificate({ url, trusted }, now(), signal);
    findings.push(finding);
    verifies = isGood;
  }
  // A server that may be another one gets no token.
  const target: Target = { url, trusted, verifies, token: verifies ? token : undefined };
  const { finding, answer, isThere } = await checkAddress(target, signal);
  findings.push(finding);
  if (answer !== undefined) findings.push(checkClock(answer, now()));
  if (!isThere) {
    const why = "nothing else is checked until Jobwire answers at this address";
    return { findings: [...findings, skip("the rest", why)], checks: [] };
  }
  const readiness = await checkReadiness(target, signal);
  findings.push(readiness);
  if (readiness.verdict === "fail") {
    // Each further finding would be of this one, and look like one of a proxy.
    const why = "nothing else is checked until the server is ready";
    return { findings: [...findings, skip("the rest", why)], checks: [] };
  }
  if (token !== undefined && !verifies) {
    findings.push(skip("token", "JOBWIRE_TOKEN is not sent to a server with a bad certificate"));
  }
  const checks: Check[] = [
    { name: "version", run: (end) => checkVersion(target, end) },
    { name: "websocket trpc", run: (end) => checkTrpcWebSocket(target, end) },
    { name: "websocket socket.io", run: (end) => checkSocketIo(target, end) },
    { name: "polling", run: (end) => checkPolling(target, end) },
    { name: "event stream", run: (end) => checkEventStream(target, end, firstEventMs) },
    {
      name: "caches",
      async run(end) {
        return checkCaches(
          await Promise.all(UNCACHED.map((path) => ask(target, path, { signal: end }))),
        );
      },
    },
    { name: "large body", run: (end) => checkBody(target, end) },
    { name: "long address", run: (end) => checkLongAddress(target, end) },
  ];
  if (target.token !== undefined) {
    const known = target.token;
    checks.push({ name: "sign-in cookie", run: (end) => checkCookie(target, known, end) });
  }
  if (origin !== undefined) {
    checks.push({ name: "origin", run: (end) => checkOrigin(target, origin, end) });
  }
  checks.push(
    idleMs === 0
      ? {
          name: "idle",
          run: async () => skip("idle", "not held: --idle 75 holds connections open"),
        }
      : {
          name: "idle",
          run: (end) => checkIdle(target, idleMs, end),
          timeoutMs: idleMs + IDLE_MARGIN_MS,
        },
  );
  return { findings, checks };
}

/** For opening the connections. */
const IDLE_MARGIN_MS = 20_000;
