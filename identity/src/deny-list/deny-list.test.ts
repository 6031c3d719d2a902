import { describe, expect, it } from "vitest";
import { createDenyList, parseDenyList } from "./deny-list.ts";

const listOf = (text: string) => createDenyList(() => parseDenyList(text).entries);

describe("a deny list", () => {
  it("contains exactly the entries of its lines", () => {
    const list = listOf("token abc\nuri spiffe://devicemesh/device/oven\n\nserial 3F\r\nsha256 ab:cd\n");
    expect(list.has("token", "abc")).toBe(true);
    expect(list.has("uri", "spiffe://devicemesh/device/oven")).toBe(true);
    expect(list.has("serial", "3f")).toBe(true);
    expect(list.has("sha256", "ABCD")).toBe(true);
    expect(list.has("token", "abcd")).toBe(false);
    expect(list.has("token", "ABC")).toBe(false);
    expect(list.has("serial", "abcd")).toBe(false);
    expect(list.has("token", "3f")).toBe(false);
  });

  it("compares serial numbers as numbers", () => {
    const list = listOf("serial 00:0f:A0");
    for (const same of ["fa0", "0FA0", "00:0f:a0"]) expect(list.has("serial", same)).toBe(true);
    expect(list.has("serial", "fa00")).toBe(false);
    expect(listOf("serial 0").has("serial", "00:00")).toBe(true);
  });

  it("treats text after a # as a comment, but not within a word", () => {
    const list = listOf("# all\ntoken a # stolen\n  token b\t# lost\ntoken c#d");
    expect(["a", "b", "c#d"].map((id) => list.has("token", id))).toEqual([true, true, true]);
    expect(list.has("token", "c")).toBe(false);
  });

  it.each(["token", "tokens a", "serial xyz", "serial :", "sha256 g", "token a b", "a"])(
    "reports the line that it cannot parse: %s",
    (line) => {
      const { entries, problems } = parseDenyList(`token before\n${line}\ntoken after`);
      expect(problems).toEqual([`line 2: ${JSON.stringify(line)}`]);
      expect(entries.size).toBe(2);
    },
  );

  it("uses the current entries for each check", () => {
    let entries: ReadonlySet<string> = new Set();
    const list = createDenyList(() => entries);
    expect(list.has("token", "a")).toBe(false);
    entries = parseDenyList("token a").entries;
    expect(list.has("token", "a")).toBe(true);
  });
});
