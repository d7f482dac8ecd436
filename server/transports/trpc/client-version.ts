/** Refuses client libraries of another major version. A client that sends no version is served: stock tRPC, curl. */
import type { IncomingMessage } from "node:http";
import type { TRPCError } from "@trpc/server";
import { AppError } from "#shared/errors.ts";
import { VERSION, VERSION_PARAM } from "#shared/version.ts";
import { appCodeOf, toTRPCError } from "./errors.ts";

const MAJOR = Number.parseInt(VERSION, 10);
/** A semantic version, of a bounded length, because the error quotes it. */
const SEMANTIC = /^(\d{1,9})\.\d{1,9}\.\d{1,9}(?:-[\w.-]{1,64})?$/;

/** What is no version counts as none. */
export function refusedClient({ url = "" }: Pick<IncomingMessage, "url">): TRPCError | undefined {
  const [version, major] = SEMANTIC.exec(sentIn(url)) ?? [];
  if (version === undefined || Number(major) === MAJOR) return undefined;
  const message =
    `This client has version ${version} and the server ${VERSION}; they work together only if their major versions ` +
    `are the same. Use @jobwire/client ${MAJOR}.x, or reload the page if the server was updated.`;
  return toTRPCError(new AppError("INCOMPATIBLE_CLIENT", message));
}

/** Without parsing the address, whose input may be long. */
function sentIn(url: string): string {
  const name = `${VERSION_PARAM}=`;
  const at = url.indexOf(name);
  if (at < 1 || !"?&".includes(url.charAt(at - 1))) return "";
  const end = url.indexOf("&", at);
  return url.slice(at + name.length, end === -1 ? undefined : end);
}

/** True for the refusal of a client that may not even call what is open to all callers. */
export function isOfClient(refusal: TRPCError | undefined): boolean {
  return refusal !== undefined && appCodeOf(refusal) === "INCOMPATIBLE_CLIENT";
}
