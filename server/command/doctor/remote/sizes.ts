/** Large requests: batches are sent in bodies of megabytes, and inputs in long addresses. */
import { type Advice, type Finding, ok, warn } from "#shared/finding.ts";
import { type Answer, ask, type AskOptions, whyBroken } from "./ask.ts";
import { adviceOn } from "./refusal.ts";
import { authorization, type Target } from "./target.ts";
import { infoIn } from "./trpc-answer.ts";

const DOC = "docs/troubleshooting.md#a-request-is-too-large";
/** More than nginx takes by default. A batch may have 16 MiB. */
const BODY_BYTES = 2 * 2 ** 20;
/** Clients put inputs into addresses up to some kilobytes. The server takes 16 KiB of headers. */
const ADDRESS_CHARS = 7000;

export async function checkBody(target: Target, signal: AbortSignal): Promise<Finding> {
  const name = "large body";
  const body = JSON.stringify({ json: "x".repeat(BODY_BYTES) });
  const headers = { "content-type": "application/json", ...authorization(target) };
  const options = { signal, method: "POST", headers, body };
  const refused = await tried(target, "/trpc/system.info", options);
  if (refused === undefined) return ok(name, "2 MiB reach the server");
  return warn(
    name,
    `a body of 2 MiB ${refused.how}`,
    refused.advice ?? [
      "Let the proxy take 16 MiB: batches of many jobs need it. nginx: client_max_body_size 16m;",
      DOC,
    ],
  );
}

export async function checkLongAddress(target: Target, signal: AbortSignal): Promise<Finding> {
  const name = "long address";
  const input = encodeURIComponent(JSON.stringify({ json: "x".repeat(ADDRESS_CHARS) }));
  const options = { signal, headers: authorization(target) };
  const refused = await tried(target, `/trpc/system.info?input=${input}`, options);
  if (refused === undefined) return ok(name, `${ADDRESS_CHARS} characters reach the server`);
  return warn(
    name,
    `an address of ${ADDRESS_CHARS} characters ${refused.how}`,
    refused.advice ?? [
      "Let the proxy take addresses of 8 KiB. nginx: large_client_header_buffers 4 16k;",
      DOC,
    ],
  );
}

interface RefusedSize {
  how: string;
  /** Where the size is not the reason. */
  advice?: Advice;
}

/** Resolves to what happened instead, if the request did not reach Jobwire. */
async function tried(
  target: Target,
  path: string,
  options: AskOptions,
): Promise<RefusedSize | undefined> {
  let answer: Answer;
  try {
    answer = await ask(target, path, options);
  } catch (error) {
    return { how: `broke the connection (${whyBroken(error)})` };
  }
  if (infoIn(answer) !== undefined) return undefined;
  const how = `was answered ${answer.status} on the way`;
  // Firewalls answer requests that are too large for them with 403.
  return answer.status === 403 ? { how } : { how, ...adviceOfStatus(answer) };
}

function adviceOfStatus(answer: Answer): { advice?: Advice } {
  const none: Advice = ["", DOC];
  const advice = adviceOn(answer, none);
  return advice === none ? {} : { advice };
}
