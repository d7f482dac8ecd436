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
  /** The next Ctrl-C calls it and ends nothing, until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** All of the standard input. */
  readInput(): Promise<Uint8Array>;
}
