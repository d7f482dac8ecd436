/** The few packets of Socket.IO 5 over Engine.IO 4 that a connection takes. */
import { fail, type Finding, ok } from "#shared/finding.ts";
import { at, parsed } from "./trpc-answer.ts";

export function connectPacket(token: string | undefined): string {
  return token === undefined ? "40" : `40${JSON.stringify({ token })}`;
}

/** `packet`: the answer to it. */
export function connectedBy(packet: string, name: string, token: string | undefined): Finding {
  if (packet.startsWith("40")) return ok(name, "opens, and connects");
  const error = packet.startsWith("44") ? at(parsed(packet.slice(2)), "message") : undefined;
  if (typeof error !== "string") {
    return fail(name, "opens, and something other than Jobwire answers", [
      "The path /socket.io leads to another program.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ]);
  }
  if (token === undefined) return ok(name, `opens, and asks for a sign-in: ${error}`);
  return fail(name, `opens, and refuses the token: ${error}`, [
    "Check JOBWIRE_TOKEN: its end, its issuer and its audience.",
    "docs/authenticate.md#what-a-caller-receives",
  ]);
}
