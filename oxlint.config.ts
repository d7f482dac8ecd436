import { defineConfig, type OxlintOverride } from "oxlint";
import { type Direction, directions, restrictedImports } from "./scripts/import-directions.ts";

const enforce = (direction: Direction): OxlintOverride => ({
  files: direction.files,
  rules: { "no-restricted-imports": ["error", restrictedImports(direction)] },
});

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "react", "jsx-a11y", "vitest", "promise"],
  categories: {
    correctness: "error",
    suspicious: "error",
  },
  // Programs outside the repository, which find their packages there.
  ignorePatterns: ["dist", "e2e/packages/consumers"],
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-unsafe-type-assertion": "off",
    "import/no-cycle": "error",
    "import/no-unassigned-import": "off",
    "react/react-in-jsx-scope": "off",
    "no-shadow": "off",
    "jsx-a11y/prefer-tag-over-role": "off",
    "react/exhaustive-effect-dependencies": "off",
    "import/no-named-as-default-member": "off",
    "promise/always-return": "off",
    "promise/no-callback-in-promise": "off",
    "typescript/unbound-method": "off",
    "consistent-return": "off",
    "no-unmodified-loop-condition": "off",
    "typescript/consistent-return": "off",
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
    // The second argument of vitest's `expect` is a message.
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    // Factories take an options object above three; methods that are called often may have four.
    "max-params": ["error", { max: 4 }],
  },
  overrides: [
    { files: ["**/*.test.{ts,tsx}"], rules: { "max-params": "off" } },
    ...directions.map(enforce),
  ],
});
