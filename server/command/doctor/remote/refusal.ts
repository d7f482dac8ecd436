/** Advice on an answer that is not the expected one: it may be Jobwire's own, or of something before it. */
import type { Advice } from "#shared/finding.ts";
import type { Answer } from "./ask.ts";
import { at, parsed } from "./trpc-answer.ts";

/** Errors of credentials. All others say nothing about a token. */
const OF_CREDENTIALS: ReadonlySet<string> = new Set([
  "UNAUTHENTICATED",
  "UNAUTHORIZED",
  "TOKEN_EXPIRED",
  "FORBIDDEN",
]);

/** Of `JOBWIRE_TOKEN`. */
export const TOKEN_ADVICE: Advice = [
  "Check JOBWIRE_TOKEN: its end, its issuer and its audience. If only a proxy is between, see whether it removes Authorization.",
  "docs/authenticate.md#what-a-caller-receives",
];

const WAIT: Advice = [
  "Wait, or raise the limit that the answer names.",
  "docs/troubleshooting.md#429",
];

const BY_CODE: Readonly<Record<string, Advice>> = {
  RATE_LIMITED: WAIT,
  UNAVAILABLE: [
    "The server cannot reach its data, or stops.",
    "docs/operations.md#jobwire-not-ready",
  ],
  DATA_UNUSABLE: ["The server cannot use its data.", "docs/operations.md#jobwire-not-ready"],
  INTERNAL: ["The log of the server has the fault.", "docs/operations.md#jobwire-faults"],
};

const BEFORE = "docs/troubleshooting.md#websocket-connection-failed";

const BY_STATUS: Readonly<Record<number, Advice>> = {
  401: ["Something before Jobwire asks for a sign-in of its own.", BEFORE],
  403: ["A rule of the proxy or of a firewall refuses it.", BEFORE],
  407: ["A proxy on this side asks for a sign-in.", BEFORE],
  429: WAIT,
  500: ["The log of the server, or of the proxy, says more.", "docs/operations.md#jobwire-faults"],
  502: ["The proxy cannot reach the server.", BEFORE],
  503: ["The server stops or is not ready, or the proxy has none that is.", BEFORE],
  504: ["The proxy reaches the server, and has no answer in time.", BEFORE],
};

export function isAboutCredentials({ code }: { code: string }): boolean {
  return OF_CREDENTIALS.has(code);
}

/** A refusal of Jobwire by its error code: what is refused, and what to do. */
export function refusalBy(
  { code, message }: { code: string; message: string },
  credentials: Advice = TOKEN_ADVICE,
): { found: string; advice: Advice } {
  if (isAboutCredentials({ code }))
    return { found: `the token is refused: ${message}`, advice: credentials };
  const advice = BY_CODE[code] ?? [
    "The answer says why.",
    "docs/authenticate.md#what-a-caller-receives",
  ];
  return { found: `the call is refused: ${message}`, advice };
}

/** `otherwise`: for an answer about which its status and its error code say nothing. */
export function adviceOn(
  { status, body }: Pick<Answer, "status" | "body">,
  otherwise: Advice,
): Advice {
  if (body.startsWith("The origin ")) return otherwise;
  const json = parsed(body);
  const code = at(json, "error", "json", "data", "appCode") ?? at(json, "error", "code");
  return (typeof code === "string" ? BY_CODE[code] : BY_STATUS[status]) ?? otherwise;
}

/** The name that a server without sign-in does not know. `undefined`: it is another answer. */
export function refusedHost({ status, body }: Pick<Answer, "status" | "body">): string | undefined {
  if (status !== 403) return undefined;
  const text = at(parsed(body), "error", "json", "message");
  return /^Host "(.*)" is not allowed/.exec(typeof text === "string" ? text : body)?.[1];
}
