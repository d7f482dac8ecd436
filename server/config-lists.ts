/** Schemas of variables that hold lists: origins of pages, names of hosts. */
import { domainToASCII } from "node:url";
import { list } from "#shared/variables.ts";

/** A scheme and a host, without the path that belongs to a page. */
const WITHOUT_PATH = /^[a-z][a-z0-9+.-]*:\/\/[^/\\?#@%\s]*(?<!:)\/?$/i;
/**
 * `https://app.example.com`, with a `*` for one or more labels (`https://*.example.com`), of an app (`capacitor://localhost`,
 * `app://.`) or an extension, or of any page of a scheme (`file://`). Pages have none of the schemes that are left out.
 */
const ORIGIN =
  /^(?!wss?:|ftp:|https?:\/\/\.)[a-z][a-z0-9+.-]*:\/\/(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\]|\.)?(?::\d+)?$/;

/**
 * An origin as browsers write it: in lower case and ASCII, without the port that is the scheme's own, without a slash at
 * the end. `undefined`: no page has such an origin.
 */
function asSent(text: string): string | undefined {
  if (/^null$/i.test(text)) return "null";
  const wildcard = text.includes("://*.");
  const url = URL.parse(wildcard ? text.replace("*", "any") : text);
  if (url === null || !WITHOUT_PATH.test(text)) return undefined;
  const host = wildcard ? url.host.replace("any", "*") : url.host;
  const origin = `${url.protocol}//${host}`.toLowerCase();
  return ORIGIN.test(origin) ? origin : undefined;
}

export const origins = list.transform((all, context) =>
  all.flatMap((text, index) => {
    const origin = asSent(text);
    if (origin !== undefined) return origin;
    // Without the text: it may hold a password.
    const message = `must be origins with commas between, such as https://app.example.com or https://*.example.com; entry ${index + 1} is none`;
    context.addIssue({ code: "custom", message });
    return [];
  }),
);

/** `jobs.example.com`, with a port or without, or with a `*` for one or more labels: `*.example.com`. */
const HOST = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
function isHost(text: string): boolean {
  // The second says whether the port and the numbers of an address are in range.
  return HOST.test(text) && URL.canParse(`http://${text.replace("*", "any")}`);
}

/** "" where no such domain can be. Left alone where it is ASCII already: an address would be rewritten, a `_` refused. */
function inAscii(host: string): string {
  return /[^\0-\x7f]/.test(host) ? domainToASCII(host) : host;
}

function asHost(text: string): string {
  return text.replace(/(?<=^(?:\*\.)?)[^:*[\]]+/, inAscii).replace(/:0{1,5}(?=\d{1,5}$)/, ":");
}

export const hosts = list
  .transform((all) => all.map(asHost))
  .refine(
    (all) => all.every(isHost),
    "must be host names with commas between, such as jobs.example.com, jobs.example.com:8000 or *.example.com",
  );
