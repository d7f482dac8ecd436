import { expect, test } from "vitest";
import { withTable } from "./config-table.ts";

const readme = "# It\n\n<!-- config -->\nold\n<!-- /config -->\n\nmore\n";

test("the table stands between its marks, a row a variable, and the rest is left alone", () => {
  const text = withTable(readme, {
    PORT: { default: "8000", about: "Where." },
    KEY: { unset: "not used", about: "A key." },
    LIST: { default: "", about: "A list." },
  });
  expect(text).toBe(`# It

<!-- config -->

| variable | default  |         |
| -------- | -------- | ------- |
| \`PORT\`   | \`8000\`   | Where.  |
| \`KEY\`    | not used | A key.  |
| \`LIST\`   | empty    | A list. |

<!-- /config -->

more
`);
  expect(withTable(text, { PORT: { default: "1", about: "" } })).not.toContain("LIST");
});

test("a README without the marks is an error, not a silent nothing", () => {
  expect(() => withTable("# It", {})).toThrow("config");
});
