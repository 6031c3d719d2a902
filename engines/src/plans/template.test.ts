import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFolder } from "./plan-context.ts";
import { readProperties, renderTemplate } from "./template.ts";

describe("a template", () => {
  it("gets each variable wherever it occurs", () => {
    expect(renderTemplate(`a=\${x}:\${y}\nb=\${x}\n`, { x: "1", y: 2 })).toBe("a=1:2\nb=1\n");
  });

  it("is rejected, by name, if it has a variable without a value", () => {
    expect(() => renderTemplate(`\${port}`, {}, "a.conf")).toThrow(`a.conf: no value for \${port}`);
  });

  it("is rejected, by name, if it does not use a value", () => {
    expect(() => renderTemplate("x", { prot: 1 }, "a.conf")).toThrow(`a.conf: it has no \${prot}`);
  });

  it("inserts a value literally, whatever characters it has", () => {
    expect(renderTemplate(`\${a}`, { a: `$& \${b} $1` })).toBe(`$& \${b} $1`);
  });
});

describe("properties", () => {
  it("are read in both notations, without comments", () => {
    expect([...readProperties("# c\n\na.b=1 2\nc d=e\nf = g\n")]).toEqual([
      ["a.b", "1 2"],
      ["c", "d=e"],
      ["f", "g"],
    ]);
  });

  it("without a value are rejected", () => {
    expect(() => readProperties("a.b")).toThrow("not a property: a.b");
  });
});

describe("the configuration files", () => {
  it("contain no path and no host of a machine, because the stack mounts them too", () => {
    const files = readdirSync(configFolder).filter((name) => /\.(properties|conf)$/.test(name));
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      const values = [...readProperties(readFileSync(join(configFolder, file), "utf8")).values()];
      expect(values.filter((value) => /^\/|127\.0\.0\.1|localhost/.test(value))).toEqual([]);
    }
  });
});
