/** Reads a list of the server page by page. */
import { MAX_PAGE_ITEMS } from "#shared/limits.ts";

interface PageOf<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Returns the items of all pages, `most` at most. */
export async function allPages<Item>(
  read: (page: { cursor: string | undefined; limit: number }) => Promise<PageOf<Item>>,
  most = Infinity,
): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await read({ cursor, limit: Math.min(MAX_PAGE_ITEMS, most - found.length) });
    found.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && found.length < most);
  return found;
}
