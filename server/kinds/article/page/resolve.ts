/** Finds the addresses of a host name. Free of the packages of the article kind, so that programs need none for its types. */
import { lookup, type LookupAddress } from "node:dns";

export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const resolveWithSystem: Resolve = (hostname, done) => lookup(hostname, { all: true }, done);
