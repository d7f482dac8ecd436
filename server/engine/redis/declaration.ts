import type { EngineDeclaration } from "#server/engine/registration.ts";
import { address, textLike } from "#shared/variables.ts";

export const REDIS = {
  name: "redis",
  capabilities: { multiProcess: true },
  selectedBy: "REDIS_URL",
  variables: {
    REDIS_URL: {
      schema: address(
        /^rediss?$/,
        "must be a redis:// or rediss:// address, such as redis://:password@localhost:6379",
      ),
      unset: "embedded engine",
      about:
        "Keeps everything in this Redis (7 or newer, Valkey, or a node of a cluster) instead, for more than one process; `rediss://` for TLS.",
    },
    REDIS_PREFIX: {
      schema: textLike(/^[\w.-]+$/, "must be letters, digits, dots, dashes and underscores"),
      default: "jobwire",
      about: "The prefix of all keys in Redis, so that several systems can share one.",
    },
  },
} as const satisfies EngineDeclaration;
