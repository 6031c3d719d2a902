import { decodeDeviceId, isDeviceId } from "@devicemesh/proto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { idOfDocument, idOfName } from "./device-id.ts";

it("makes an id of every short name, and the name of the id again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }), (name) => {
      fc.pre(new TextEncoder().encode(name).length <= 40);
      const id = idOfName(name);
      expect(isDeviceId(id)).toBe(true);
      expect(decodeDeviceId(id)).toBe(name);
    }),
  );
});

it("keeps names that are ids, and encodes a blank in a place", () => {
  expect(idOfName("living-room/lamp")).toBe("living-room/lamp");
  expect(idOfName("Living room")).toBe("Living%20room");
});

it("takes the id of an answer back as it is, and encodes what is no id", () => {
  expect(idOfDocument("Living%20room")).toBe("Living%20room");
  expect(idOfDocument("Living room")).toBe("Living%20room");
});
