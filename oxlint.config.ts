import { defineConfig } from "oxlint";
import { directions, restrictedImports } from "./scripts/import-directions.ts";

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "react", "jsx-a11y", "vitest", "promise"],
  categories: {
    correctness: "error",
    suspicious: "error",
  },
  ignorePatterns: ["dist"],
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
  },
  overrides: directions.map((direction) => ({
    files: direction.files,
    rules: { "no-restricted-imports": ["error", restrictedImports(direction)] },
  })),
});
