import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSpiffeName, mayPublish, parseSpiffeName } from "./spiffe-name.ts";

const names = fc.record({
  trustDomain: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
  kind: fc.constantFrom("device" as const, "gateway" as const),
  name: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$/),
});

describe("parseSpiffeName", () => {
  it("parses the output of formatSpiffeName", () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(parseSpiffeName(formatSpiffeName(name))).toEqual(name);
      }),
    );
  });

  it.each([
    "",
    "spiffe://devicemesh",
    "spiffe://devicemesh/device",
    "spiffe://devicemesh/device/",
    "spiffe://devicemesh/device/a/b",
    "spiffe://devicemesh/device/a?b",
    "spiffe://devicemesh/device/a#b",
    "spiffe://devicemesh/device/a b",
    "spiffe://devicemesh/device/a%2e",
    "spiffe://devicemesh/device/%2e",
    "spiffe://devicemesh/device/a@b",
    "spiffe://devicemesh/device/a=b",
    "spiffe://devicemesh/device/a~b",
    "spiffe://devicemesh/device/.a",
    "spiffe://devicemesh/device/a\n",
    `spiffe://devicemesh/device/${"a".repeat(129)}`,
    "spiffe://devicemesh/user/a",
    "spiffe://DeviceMesh/device/a",
    "spiffe://user@devicemesh/device/a",
    "spiffe://devicemesh:80/device/a",
    "spiffe:///device/a",
    "Spiffe://devicemesh/device/a",
    "https://devicemesh/device/a",
    " spiffe://devicemesh/device/a",
  ])("returns undefined for %j", (uri) => {
    expect(parseSpiffeName(uri)).toBeUndefined();
  });

  it("rejects a name that formatSpiffeName would not write", () => {
    expect(() => formatSpiffeName({ trustDomain: "devicemesh", kind: "device", name: "a/b" })).toThrow(
      RangeError,
    );
  });
});

describe("mayPublish", () => {
  it("lets a device send only for itself", () => {
    const oven = { kind: "device", name: "oven" } as const;
    expect(mayPublish(oven, "oven")).toBe(true);
    for (const other of ["Oven", "oven2", "oven-2", "ove", "", "lamp"])
      expect(mayPublish(oven, other)).toBe(false);
  });

  it("lets a gateway send for the ids that begin with its prefix, up to a boundary", () => {
    const plant = { kind: "gateway", name: "plant-7" } as const;
    for (const own of [
      "plant-7",
      "plant-7-a",
      "plant-7.a",
      "plant-7:a",
      "plant-7_a",
      "plant-7--",
      "plant-7/a",
    ]) {
      expect(mayPublish(plant, own)).toBe(true);
    }
    for (const other of [
      "plant-70",
      "plant-7a",
      "plant-",
      "plant",
      "aplant-7",
      "Plant-7.a",
      "plant-7%2Fa",
      "plant-7@a",
      "plant-7~a",
      "plant-7=a",
      "",
    ]) {
      expect(mayPublish(plant, other)).toBe(false);
    }
  });

  it("treats a separator at the end of a prefix as the boundary", () => {
    const plant = { kind: "gateway", name: "plant-" } as const;
    expect(mayPublish(plant, "plant-7")).toBe(true);
    expect(mayPublish(plant, "plant")).toBe(false);
  });

  it("never lets two gateways send for one device unless one prefix covers the other", () => {
    const prefix = fc.stringMatching(/^[a-b][a-b.-]{0,3}$/);
    const id = fc.stringMatching(/^[a-b][a-b.-]{0,7}$/);
    fc.assert(
      fc.property(prefix, prefix, id, (first, second, deviceId) => {
        const both = [first, second].every((name) => mayPublish({ kind: "gateway", name }, deviceId));
        if (both) expect(first.startsWith(second) || second.startsWith(first)).toBe(true);
      }),
    );
  });
});
