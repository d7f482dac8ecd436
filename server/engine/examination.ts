/** The examination of stored data by `jobwire doctor`: it reads, and changes nothing of what is stored. */
import type { Finding } from "#shared/finding.ts";

export interface ExaminationOptions {
  /** A running server has the data open, and answers on its control socket. */
  isServed: boolean;
  now: () => Date;
}

/** Resolves to what was found, each thing for itself. Rejects only for a fault of the examination. */
export type Examine<Settings> = (
  settings: Settings,
  options: ExaminationOptions,
) => Promise<Finding[]>;
