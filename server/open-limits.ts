/** Opens the limits that apply to a server. */
import type { Config } from "./config.ts";
import type { Connector } from "./engine/contract.ts";
import { type LimitName, limitsOf } from "./limits/limits.ts";
import type { Limits } from "./limits/open.ts";
import type { TellTrouble } from "./transports/trouble-log.ts";

const UNLISTED =
  "A proxy is missing in TRUST_PROXY, or a client pretends to be one: all who come through it count as one address";

/**
 * `anonymous`: callers do not sign in. Unless ALLOW_ANONYMOUS says that others may call such a server, only this machine reaches
 * it: its callers are one developer, and nothing is limited (`undefined`). `onRefused` counts refusals.
 */
export async function openServerLimits(
  config: Config,
  {
    anonymous,
    connector,
    onRefused,
    tell,
  }: {
    anonymous: boolean;
    connector: Connector | undefined;
    onRefused: (name: LimitName) => void;
    tell: TellTrouble;
  },
): Promise<Limits | undefined> {
  const isLocal = anonymous && !config.ALLOW_ANONYMOUS;
  if (config.ROLE === "worker" || isLocal) return undefined;
  // Its library is not loaded where it is not needed.
  const { openLimits } = await import("./limits/open.ts");
  return openLimits({
    most: limitsOf(config, { anonymous }),
    trusted: config.TRUST_PROXY,
    connector,
    onRefused(name, who) {
      onRefused(name);
      // Most refusals are not told, so they must not cost an `Error`.
      tell(`${name}: ${who}`, `A limit was reached: ${name}`);
    },
    onUnlisted: (peer) => tell(`${peer} sends X-Forwarded-For`, UNLISTED),
  });
}
