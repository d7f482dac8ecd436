/** The times of SQLite's commits, which no interface of the product tells. */
import { DatabaseSync } from "node:sqlite";

/** Notes those of databases that are opened from now on. The returned function gives the newest, in nanoseconds. */
export function noteCommits(): () => bigint | undefined {
  let newest: bigint | undefined;
  // oxlint-disable-next-line typescript/unbound-method
  const prepare = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
    const statement = prepare.apply(this, args);
    if (args[0] !== "COMMIT") return statement;
    const run = statement.run.bind(statement);
    statement.run = () => {
      const done = run();
      newest = process.hrtime.bigint();
      return done;
    };
    return statement;
  };
  return () => newest;
}
