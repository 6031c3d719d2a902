import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Locator } from "playwright-core";

/** The place of an element on the page, once it no longer moves while the page is laid out. */
export async function settledBox(element: Locator) {
  let box = await element.boundingBox();
  await waitUntil(async () => {
    const before = JSON.stringify(box);
    box = await element.boundingBox();
    return box !== null && JSON.stringify(box) === before;
  });
  if (!box) throw new Error("the element has no place");
  return box;
}
