import { expect, test } from "vitest";
import { createTroubleLog } from "./trouble-log.ts";

test("[H5] an error is logged once a second, with its cause and the number of repeats", () => {
  const lines: unknown[] = [];
  let now = 0;
  const warn = (fields: object, what: string) => void lines.push({ what, ...fields });
  const tell = createTroubleLog({ warn: warn as never }, () => now);
  const error = new Error("Away.", { cause: new Error("10.0.0.1 is away.") });
  for (now of [0, 1, 999, 1000]) tell(error, "No data");
  tell(error, "No metrics");
  const err = { message: "Away.", cause: { message: "10.0.0.1 is away." } };
  expect(lines).toMatchObject([
    { what: "No data", err, untold: 0 },
    { what: "No data", err, untold: 2 },
    { what: "No metrics", err, untold: 0 },
  ]);
});
