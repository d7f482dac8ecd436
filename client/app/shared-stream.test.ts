import { expect, test } from "vitest";
import { sharedStreamOf } from "./shared-stream.ts";

const ID = "0198f1a2-0000-7000-8000-000000000000";
const tokenOf = (claims: object) =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;

test("the fragment of a share link says which job or batch it shows", () => {
  for (const stream of ["job", "batch"]) {
    const token = tokenOf({ stream: `${stream}:${ID}`, sub: "ÿþ~~~???" });
    expect(sharedStreamOf(`#${token}`)).toEqual({ token, stream, id: ID });
  }
});

test.each([
  "",
  "#",
  "#a",
  "#a.b.c",
  `#${tokenOf({})}`,
  `#${tokenOf({ stream: "feed:x" })}`,
  "#.e30.",
])("%j is no share link", (hash) => {
  expect(sharedStreamOf(hash)).toBeUndefined();
});
