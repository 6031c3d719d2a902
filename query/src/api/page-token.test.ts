import { describe, expect, it } from "vitest";
import { createPageTokens } from "./page-token.ts";

const key = Buffer.from("a key of a test");
const tokens = createPageTokens<{ place: number }>({ key, method: "ListReadings" });
const query = [["a"], null];

describe("page tokens", () => {
  it("open for the query they were made for, on any server with the key", () => {
    const token = tokens.seal({ place: 7 }, query);
    const elsewhere = createPageTokens<{ place: number }>({ key, method: "ListReadings" });
    expect(elsewhere.open(token, [["a"], null])).toEqual({ place: 7 });
  });

  it("are rejected if any character is changed, missing or added", () => {
    const token = tokens.seal({ place: 7 }, query);
    for (let place = 0; place < token.length; place++) {
      const other = token[place] === "A" ? "B" : "A";
      const altered = token.slice(0, place) + other + token.slice(place + 1);
      expect(() => tokens.open(altered, query)).toThrow(/page_token/);
      expect(() => tokens.open(token.slice(0, place), query)).toThrow(/page_token/);
    }
    for (const added of [`${token}A`, `${token}=`, `${token} `, ` ${token}`]) {
      expect(() => tokens.open(added, query)).toThrow(/page_token/);
    }
  });

  it("are rejected for another query, method or key", () => {
    const token = tokens.seal({ place: 7 }, query);
    expect(() => tokens.open(token, [["b"], null])).toThrow(/page_token/);
    const series = createPageTokens({ key, method: "ListSeries" });
    expect(() => series.open(token, query)).toThrow(/page_token/);
    const stranger = createPageTokens({ key: Buffer.from("another key"), method: "ListReadings" });
    expect(() => stranger.open(token, query)).toThrow(/page_token/);
  });
});
