/** The surroundings of a command: those of the process, or of a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface CommandContext {
  env: NodeJS.ProcessEnv;
  stdout: Output;
  stderr: Output;
  now: () => Date;
}
