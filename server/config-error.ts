/** Apart from the configuration itself, so that the declarations of programs that name the error are free of the variables. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(`The configuration cannot be used:\n${lines.map((line) => `  ${line}`).join("\n")}`);
    this.lines = lines;
  }
}
