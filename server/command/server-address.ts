/** The address of a server, as an argument or a variable gives it. */
import { UsageError } from "./usage-error.ts";

export function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${JSON.stringify(text)} is no address of http or https.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("The address holds a user or password. Set JOBWIRE_TOKEN instead.");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new UsageError("Name the address of the page, without what follows a ? or #.");
  }
  return url;
}
