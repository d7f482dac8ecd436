/** The few packets of Socket.IO 5 over Engine.IO 4 that a connection takes. */
import { fail, type Finding, ok } from "#shared/finding.ts";
import { isAboutCredentials, refusalBy } from "./refusal.ts";
import { at, parsed } from "./trpc-answer.ts";

export function connectPacket(token: string | undefined): string {
  return token === undefined ? "40" : `40${JSON.stringify({ token })}`;
}

/** `packet`: the answer to it. */
export function connectedBy(packet: string, name: string, token: string | undefined): Finding {
  if (packet.startsWith("40")) return ok(name, "opens, and connects");
  const error = packet.startsWith("44") ? parsed(packet.slice(2)) : undefined;
  const message = at(error, "message");
  const code = at(error, "data", "code");
  if (typeof message !== "string") {
    return fail(name, "opens, and something other than Jobwire answers", [
      "The path /socket.io leads to another program.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ]);
  }
  const refusal = { code: typeof code === "string" ? code : "UNAUTHENTICATED", message };
  if (token === undefined && isAboutCredentials(refusal)) {
    return ok(name, `opens, and asks for a sign-in: ${message}`);
  }
  const { found, advice } = refusalBy(refusal);
  return fail(name, `opens, and ${found}`, advice);
}
