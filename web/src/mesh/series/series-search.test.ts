import { describe, expect, it } from "vitest";
import { searchOf } from "./series-search.ts";

describe("searchOf", () => {
  it("is a pattern where the text has a star or a question mark, else a part of an id, and nothing without text", () => {
    expect([" attic ", "th*-0?1", "a?c", "  "].map(searchOf)).toEqual([
      { case: "deviceContains", value: "attic" },
      { case: "deviceGlob", value: "th*-0?1" },
      { case: "deviceGlob", value: "a?c" },
      { case: undefined },
    ]);
  });
});
