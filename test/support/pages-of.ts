/** Pages of a list, and what is held of it. */

/** Pages of that many items, one after the other. */
export async function* pagesOf<Item>(items: Iterable<Item>, size = 2): AsyncGenerator<readonly Item[]> {
  let page: Item[] = [];
  for (const item of items) {
    page.push(item);
    if (page.length === size) {
      yield page;
      page = [];
    }
  }
  yield page;
}
