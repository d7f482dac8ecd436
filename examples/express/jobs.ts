import { setTimeout as pause } from "node:timers/promises";
import { AppError, createJobwire, defineKind } from "jobwire";
import { z } from "zod";
import { createSessions } from "./sessions.ts";

const { SESSION_SECRET } = process.env;
if (SESSION_SECRET === undefined) throw new Error("Set SESSION_SECRET to a long random text.");
export const sessions = createSessions(SESSION_SECRET);

/** Stands in for a database. */
const SALES = Array.from({ length: 6 * 365 }, (_, day) => ({
  month: new Date(Date.UTC(2021, 0, 1 + day)).toISOString().slice(0, 7),
  cents: 1000 + ((day * 7919) % 9000),
}));

const salesReport = defineKind({
  name: "salesReport",
  description: "Adds up the sales of each month.",
  input: z
    .object({ from: z.iso.date(), to: z.iso.date() })
    .refine(({ from, to }) => from <= to, "`to` is before `from`"),
  details: z.object({ month: z.string(), done: z.int(), of: z.int() }),
  output: z.object({
    totalCents: z.int(),
    months: z.array(z.object({ month: z.string(), cents: z.int() })),
  }),
  title: ({ from, to }) => `Sales from ${from} to ${to}`,

  async run({ input: { from, to }, signal, progress, draft }) {
    const names = [...new Set(SALES.map(({ month }) => month))].filter(
      (month) => month >= from.slice(0, 7) && month <= to.slice(0, 7),
    );
    const months: { month: string; cents: number }[] = [];
    for (const month of names) {
      const sales = SALES.filter((sale) => sale.month === month);
      const cents = sales.reduce((sum, sale) => sum + sale.cents, 0);
      months.push({ month, cents });
      await draft(`${month}: ${(cents / 100).toFixed(2)}\n`);
      const done = months.length;
      await progress(Math.floor((99 * done) / names.length), `Added up ${month}`, {
        month,
        done,
        of: names.length,
      });
      // A real database would take this time.
      await pause(50, undefined, { signal });
    }
    return { months, totalCents: months.reduce((sum, { cents }) => sum + cents, 0) };
  },
});

export const jobwire = createJobwire({
  kinds: [salesReport],
  /** The same session as in the program's own routes. Each user sees the own jobs alone. */
  async authenticate({ headers, token }) {
    const user = sessions.userOf(
      token === undefined ? headers : { authorization: `Bearer ${token}` },
    );
    if (user === undefined) throw new AppError("UNAUTHENTICATED", "Sign in first.");
    return { userId: user, tenantId: "shop", scopes: ["jobs:read", "jobs:write"] };
  },
});

type Server = typeof jobwire;
export interface App extends Server {}
