/** The address of a server, as programs write it. */

/**
 * Without a final slash. A relative one (`/jobs`) is of the page's origin; a program that renders pages on a server keeps it as
 * it is, and may make a client that calls nothing. Throws `TypeError` for an address that is not of HTTP.
 */
export function serverUrl(given: string, page: string | undefined = pageNow()): string {
  // Programs in JavaScript may have a variable that is not set.
  if (typeof (given as unknown) !== "string") throw wrong(given);
  const isRelative = given === "" || (given.startsWith("/") && !given.startsWith("//"));
  if (isRelative && page === undefined) return withoutSlash(given);
  const url = URL.parse(
    given,
    page === undefined || !isRelative ? undefined : new URL(page).origin,
  );
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw wrong(given);
  }
  return withoutSlash(url.href);
}

function wrong(given: string): TypeError {
  return new TypeError(
    `The url "${given}" of the client is not the address of a server, such as http://localhost:8000 or https://example.com/jobs`,
  );
}

const withoutSlash = (url: string) => url.replace(/\/+$/, "");

function pageNow(): string | undefined {
  return typeof location === "undefined" ? undefined : location.href;
}
