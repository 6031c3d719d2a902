import { describe, expect, it } from "vitest";
import { renderTemplate } from "./template.ts";

/** The placeholder of a value. */
const place = (name: string) => `"\${${name}}"`;

describe("renderTemplate", () => {
  it("writes values as JSON, which YAML reads unchanged", () => {
    const values = { text: 'a "b": c # d', number: 1.5, list: [{ host: "h" }], yes: true };
    const template = `a: ${place("text")}\nb: ${place("number")}\nc: {list: ${place("list")}}\nd: ${place("yes")}`;
    expect(renderTemplate(template, { values, parts: {} })).toBe(
      'a: "a \\"b\\": c # d"\nb: 1.5\nc: {list: [{"host":"h"}]}\nd: true',
    );
  });

  it("keeps the lines of an enabled part, and those of a nested part only if both are enabled", () => {
    const template = "a\n  # if one\nb\n    # if two\nc\n    # end\n  # end\nd";
    const render = (one: boolean, two: boolean) =>
      renderTemplate(template, { values: {}, parts: { one, two } }).replaceAll("\n", "");
    expect([render(false, true), render(true, false), render(true, true)]).toEqual(["ad", "abd", "abcd"]);
  });

  it("needs no value for a comment or a disabled part", () => {
    const template = `# of ${place("nothing")}\n# if one\na: ${place("missing")}\n# end`;
    expect(renderTemplate(template, { values: {}, parts: { one: false } })).toBe(`# of ${place("nothing")}`);
  });

  it.each([
    ["a value that is missing", `a\nb: ${place("missing")}`, {}, "line 2: no value for missing"],
    ["a value that is not used", "a", { spare: 1 }, "the template does not use spare"],
    ["a part that is unknown", "# if other\n# end", {}, "line 1: no part is called other"],
    ["an if without an end", "a\n# if one", {}, "line 2: if one has no end"],
    ["an end without an if", "# end", {}, "line 1: an end without its if"],
  ])("rejects %s", (_, template, values, message) => {
    expect(() => renderTemplate(template, { values, parts: { one: true } })).toThrow(message);
  });
});
