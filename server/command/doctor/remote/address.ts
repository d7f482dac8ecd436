/** Is there a Jobwire at the address, ready, and of which version? */
import { type Advice, fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { isLoopback } from "#shared/loopback.ts";
import { pluralize } from "#shared/pluralize.ts";
import pkg from "#package.json" with { type: "json" };
import { type Answer, ask, whyBroken } from "./ask.ts";
import { adviceOn, isAboutCredentials, refusalBy, refusedHost } from "./refusal.ts";
import { authorization, type Target } from "./target.ts";
import { at, infoIn, parsed } from "./trpc-answer.ts";

const NOTHING: Advice = [
  "Check the address, the port, whether it speaks http or https, the firewall, and that the server runs.",
  "docs/troubleshooting.md#websocket-connection-failed",
];

/** `isThere`: the rest is worth checking. `answer` is that of `/healthz`. */
export async function checkAddress(
  target: Target,
  signal: AbortSignal,
): Promise<{ finding: Finding; answer?: Answer; isThere: boolean }> {
  const name = "address";
  let answer: Answer;
  try {
    answer = await ask(target, "/healthz", { signal });
  } catch (error) {
    const reason = signal.aborted ? "no answer comes" : whyBroken(error);
    const why = `${target.url.host} cannot be reached (${reason})`;
    return { finding: fail(name, why, NOTHING), isThere: false };
  }
  const { status, headers, body, ms } = answer;
  if (status === 200 && at(parsed(body), "status") === "ok") {
    return {
      finding: ok(name, `${target.url.host} answers within ${Math.ceil(ms)} ms`),
      answer,
      isThere: true,
    };
  }
  const unknownHost = refusedHost(answer);
  if (unknownHost !== undefined) {
    return { finding: unknown(unknownHost, answer, target.url), answer, isThere: false };
  }
  if (await isJobwire(target, signal)) {
    const found = `/healthz answered ${status}, and /trpc leads to Jobwire`;
    const finding = warn(name, found, [
      "The proxy answers for it, or keeps it from clients, which is fine.",
      "docs/scaling.md#the-proxy",
    ]);
    return { finding, answer, isThere: true };
  }
  if (status >= 300 && status < 400) {
    const finding = fail(name, `is redirected to ${headers.location ?? "nowhere"}`, [
      "Use the address that it leads to: clients do not follow it.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ]);
    return { finding, answer, isThere: false };
  }
  const found = `/healthz answered ${status}: ${body.trim().slice(0, 200)}`;
  return { finding: fail(name, found, adviceOn(answer, NONE)), answer, isThere: false };
}

const NONE: Advice = [
  "This is no Jobwire, or something answers in its place. If it is below a path, name the path: jobwire doctor https://HOST/PATH",
  "docs/troubleshooting.md#websocket-connection-failed",
];

/** Proxies keep `/healthz` from clients, or have one of their own. */
async function isJobwire(target: Target, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(target, "/trpc/system.info", { signal }).catch(() => undefined);
  return answer !== undefined && infoIn(answer) !== undefined;
}

/** `host`: what the server received. */
function unknown(host: string, { status, body }: Answer, url: URL): Finding {
  const name = "address";
  const found = `/healthz answered ${status}: ${body.trim().slice(0, 200)}`;
  if (host === url.host || host === url.hostname) {
    return fail(name, found, [
      "List the name in ALLOWED_HOSTS.",
      "docs/troubleshooting.md#403-and-a-host",
    ]);
  }
  return fail(name, found, [
    `The proxy sends another Host than ${url.host}. nginx: proxy_set_header Host $http_host;`,
    "docs/troubleshooting.md#403-and-a-host",
  ]);
}

const NOT_READY: Advice = [
  "The log of the server says more.",
  "docs/operations.md#jobwire-not-ready",
];

export async function checkReadiness(target: Target, signal: AbortSignal): Promise<Finding> {
  const name = "readiness";
  let answer: Answer;
  try {
    answer = await ask(target, "/readyz", { signal });
  } catch (error) {
    const reason = signal.aborted ? "it does not answer in time" : whyBroken(error);
    return fail(name, `not ready: ${reason}`, NOT_READY);
  }
  const { status, body } = answer;
  const json = parsed(body);
  if (status >= 500) {
    const reason = at(json, "reason");
    if (typeof reason === "string") return fail(name, `not ready: ${reason}`, NOT_READY);
    const found = `/readyz answered ${status}: ${body.trim().slice(0, 200)}`;
    return fail(name, found, adviceOn(answer, NOT_READY));
  }
  if (status !== 200 || at(json, "status") !== "ready") {
    return warn(name, `/readyz answered ${status}: ${body.slice(0, 100)}`, [
      "The proxy answers for it, or keeps it from clients, which is fine.",
      "docs/scaling.md#the-proxy",
    ]);
  }
  const note = at(json, "note");
  if (typeof note === "string") {
    return warn(name, note, ["", "docs/troubleshooting.md#jobs-wait-and-none-starts"]);
  }
  const workers = at(json, "workers");
  return ok(
    name,
    typeof workers === "number" ? `ready, with ${pluralize(workers, "worker")}` : "ready",
  );
}

export async function checkVersion(target: Target, signal: AbortSignal): Promise<Finding[]> {
  const name = "version";
  const answer = await ask(target, "/trpc/system.info", {
    signal,
    headers: authorization(target),
  });
  const info = infoIn(answer);
  if (info === undefined) {
    return [
      fail(
        name,
        `/trpc answered ${answer.status}: ${answer.body.slice(0, 200)}`,
        adviceOn(answer, [
          "The path /trpc leads to another program, or a proxy refuses it.",
          "docs/troubleshooting.md#websocket-connection-failed",
        ]),
      ),
    ];
  }
  if ("code" in info) {
    const isAsking = target.token === undefined && isAboutCredentials(info);
    if (isAsking) return [skip(name, "set JOBWIRE_TOKEN to read it")];
    const { found, advice } = refusalBy(info);
    return [fail(name, found, advice)];
  }
  const { version, engine } = info;
  return [compared(version, engine), ...exposure(target, await isOpen(target, signal))];
}

function compared(version: string, engine: string): Finding {
  const name = "version";
  const found = `${version}, with the engine ${engine}`;
  if (version === pkg.version) return ok(name, found);
  return ok(name, `${found}; this command is of ${pkg.version}`);
}

/** True if it answers callers without credentials. */
async function isOpen(target: Target, signal: AbortSignal): Promise<boolean> {
  if (target.token === undefined) return true;
  const info = infoIn(await ask(target, "/trpc/system.info", { signal }));
  return info !== undefined && "version" in info;
}

function exposure({ url }: Target, open: boolean): Finding[] {
  if (!open || isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1"))) return [];
  return [
    warn("sign-in", "the server asks no caller who they are", [
      "Let callers sign in, unless nothing but a proxy that signs people in reaches the server.",
      "docs/operations.md#access",
    ]),
  ];
}
