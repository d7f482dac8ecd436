/** Schemas of variables that hold lists: origins and host names. */
import { domainToASCII } from "node:url";
import { list } from "#shared/variables.ts";

/** A scheme and a host without a path. */
const WITHOUT_PATH = /^[a-z][a-z0-9+.-]*:\/\/[^/\\?#@%\s]*(?<!:)\/?$/i;
/**
 * An origin of a site (`https://app.example.com`; `*` stands for one or more labels: `https://*.example.com`), of an app
 * (`capacitor://localhost`, `app://.`) or an extension, or of all pages of a scheme (`file://`). Pages never have the
 * schemes that are missing here.
 */
const ORIGIN =
  /^(?!wss?:|ftp:|https?:\/\/\.)[a-z][a-z0-9+.-]*:\/\/(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\]|\.)?(?::\d+)?$/;

/**
 * Returns an origin in the form that browsers send: lower case, ASCII, without the scheme's default port and without a slash
 * at the end. Returns `undefined` if pages cannot have this origin.
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
    // The message omits the text, which may hold a password.
    const message = `must be origins separated by commas, such as https://app.example.com or https://*.example.com; entry ${index + 1} is not an origin`;
    context.addIssue({ code: "custom", message });
    return [];
  }),
);

/** `jobs.example.com`, optionally with a port. `*` stands for one or more labels: `*.example.com`. */
const HOST = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
function isHost(text: string): boolean {
  // `canParse` checks the range of the port and of the numbers of an address.
  return HOST.test(text) && URL.canParse(`http://${text.replace("*", "any")}`);
}

/** Returns "" for an impossible domain. Keeps ASCII hosts: `domainToASCII` rewrites addresses and refuses `_`. */
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
    "must be host names separated by commas, such as jobs.example.com, jobs.example.com:8000 or *.example.com",
  );
