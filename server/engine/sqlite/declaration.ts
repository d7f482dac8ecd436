import type { EngineDeclaration } from "#server/engine/registration.ts";
import { text } from "#shared/variables.ts";

export const SQLITE = {
  name: "sqlite",
  capabilities: { multiProcess: false },
  variables: {
    DATA_DIR: {
      schema: text,
      default: "./data",
      about: "Where the embedded database is kept.",
    },
  },
} as const satisfies EngineDeclaration;
