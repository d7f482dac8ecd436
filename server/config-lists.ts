/** Schemas of variables that hold lists: origins of pages, names of hosts, addresses that may be fetched. */
import { domainToASCII } from "node:url";
import { z } from "zod";
import { createAllowList } from "#server/kinds/article/page/allow-list.ts";

/** Commas between, and spaces where people like them. */
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

/**
 * `https://app.example.com`, with a `*` for one or more labels (`https://*.example.com`), of an app (`capacitor://localhost`)
 * or an extension, or `null`, which files and sandboxed frames send.
 */
const ORIGIN =
  /^(?:null|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?)$/i;

const HOST_OF_ORIGIN = /(?<=^[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?)[^:/?#@[\]]+/i;
/** As browsers send it: without a slash at the end, and without letters beyond ASCII. */
function asSent(origin: string): string {
  return origin.replace(/\/$/, "").replace(HOST_OF_ORIGIN, inAscii);
}

/** "" where no such domain can be. Left alone where it is ASCII already: an address would be rewritten, a `_` refused. */
function inAscii(host: string): string {
  return /[^\0-\x7f]/.test(host) ? domainToASCII(host) : host;
}

export const origins = list
  .transform((all) => all.map(asSent))
  .refine(
    (all) => all.every((origin) => ORIGIN.test(origin)),
    "must be origins with commas between, such as https://app.example.com or https://*.example.com",
  );

/** `jobs.example.com`, with a port or without, or with a `*` for one or more labels: `*.example.com`. */
const HOST = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
function isHost(text: string): boolean {
  // The second says whether the port and the numbers of an address are in range.
  return HOST.test(text) && URL.canParse(`http://${text.replace("*", "any")}`);
}

export const hosts = list
  .transform((all) => all.map((host) => host.replace(/(?<=^(?:\*\.)?)[^:*[\]]+/, inAscii)))
  .refine(
    (all) => all.every(isHost),
    "must be host names with commas between, such as jobs.example.com, jobs.example.com:8000 or *.example.com",
  );

/** `host`, `host:port`, or `host:port/path/`. */
export const allowEntries = list.superRefine((all, context) => {
  try {
    createAllowList(all);
  } catch (error) {
    const reason = error instanceof TypeError ? error.message : String(error);
    const message = `must be hosts with commas between, such as 10.0.0.5:8080: ${reason}`;
    context.addIssue({ code: "custom", message });
  }
});
