import { decodeDeviceId, isDeviceId } from "@devicemesh/proto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { idOfDocument, idOfName } from "./device-id.ts";

it("encodes every short name as an id, and decodes it again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }), (name) => {
      fc.pre(new TextEncoder().encode(name).length <= 40);
      const id = idOfName(name);
      expect(isDeviceId(id)).toBe(true);
      expect(decodeDeviceId(id)).toBe(name);
    }),
  );
});

it("keeps names that are valid ids, and encodes a blank", () => {
  expect(idOfName("living-room/lamp")).toBe("living-room/lamp");
  expect(idOfName("Living room")).toBe("Living%20room");
});

it("keeps an id that a server returned, and encodes a text that is not an id", () => {
  expect(idOfDocument("Living%20room")).toBe("Living%20room");
  expect(idOfDocument("Living room")).toBe("Living%20room");
});
