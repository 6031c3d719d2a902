import { describe, expect, it } from "vitest";
import { allMetrics, metricsPageText, withMetrics } from "./metrics-tables.ts";

const definitions = allMetrics.flatMap((one) => Object.values(one.definitions));

describe("the metrics", () => {
  it("are in docs/metrics.md in their current form (npm run generate writes them)", () => {
    expect(metricsPageText()).toBe(withMetrics(metricsPageText()));
  });

  it("have unique names in Prometheus' style, with the prefix of their exporter", () => {
    const names = definitions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { who, definitions: its } of allMetrics) {
      const [first = ""] = who.toLowerCase().split(" ");
      const prefix = first === "every" ? "grpc_server_" : `devicemesh_${first}_`;
      for (const { name } of Object.values(its)) expect(name.startsWith(prefix)).toBe(true);
    }
    for (const { name, type, unit } of definitions) {
      expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(name.replace(/_total$/, "").endsWith("_seconds")).toBe(unit === "seconds");
    }
  });

  it("are explained in one line, and have few labels, each with few values", () => {
    for (const { help, labels = {} } of definitions) {
      expect(help).toMatch(/^[A-Z][^|\n]*[^.\n]$/);
      for (const values of Object.values(labels)) {
        expect(values.length).toBeGreaterThan(0);
        if (typeof values !== "string") expect(values.length).toBeLessThanOrEqual(17);
      }
    }
  });
});
