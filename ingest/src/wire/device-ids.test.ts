import { deviceIdPattern } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceIdBytes } from "../../testing/frame-bytes.ts";
import { createDeviceIds, hashOf, type InternedNames } from "./wire.ts";

describe("the table of device ids", () => {
  it("returns the id for any bytes that match the pattern, and undefined for others, however full it is", () => {
    const deviceIds = createDeviceIds({ slots: 8 });
    fc.assert(
      fc.property(deviceIdBytes, fc.nat(7), (bytes, offset) => {
        const text = bytes.toString("latin1");
        expect(intern(deviceIds, bytes, offset)).toBe(deviceIdPattern.test(text) ? text : undefined);
      }),
      { numRuns: 5000 },
    );
  });

  it("distinguishes ids that differ in one byte, at any position and length", () => {
    const deviceIds = createDeviceIds({ slots: 64 });
    for (let length = 1; length <= 128; length++) {
      for (const place of [0, length >> 1, Math.max(0, length - 4), length - 1]) {
        const one = Buffer.alloc(length, "a");
        const other = Buffer.from(one);
        other[place] = 98;
        for (const bytes of [one, other, one, other]) expect(intern(deviceIds, bytes)).toBe(bytes.toString());
      }
    }
  });

  it("distinguishes ids with the same hash", () => {
    const [one, other] = collidingIds();
    const deviceIds = createDeviceIds();
    for (const id of [one, other, one, other]) expect(intern(deviceIds, Buffer.from(id))).toBe(id);
  });

  it("serves many times more ids than it has slots", () => {
    const deviceIds = createDeviceIds({ slots: 16 });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 1000; i++)
        expect(intern(deviceIds, Buffer.from(`device-${i}`))).toBe(`device-${i}`);
    }
  });

  it("returns the id for any order of ids: the same order repeatedly, with some ids left out, or replaced", () => {
    const ids = Array.from({ length: 24 }, (_, i) => `device-${i}`);
    const orders = fc.array(fc.subarray(ids, { minLength: 1 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(4, 16, 64),
        orders,
        fc.array(fc.nat(3), { maxLength: 12 }),
        (slots, all, rounds) => {
          const deviceIds = createDeviceIds({ slots });
          for (const round of rounds) {
            for (const id of all[round % all.length] ?? [])
              expect(intern(deviceIds, Buffer.from(id), round)).toBe(id);
          }
        },
      ),
    );
  });

  it("rejects a number of slots that is not a power of two", () => {
    expect(() => createDeviceIds({ slots: 1000 })).toThrow("power of two");
  });
});

/** Two ids of one length with the same hash: among this many there are some (the birthday paradox). */
function collidingIds(): [string, string] {
  const bytes = Buffer.alloc(12);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const byHash = new Map<number, string>();
  for (let i = 0; i < 1_000_000; i++) {
    const id = `id-${String(i).padStart(9, "0")}`;
    bytes.write(id);
    const hash = hashOf(view, 0, bytes.length);
    const other = byHash.get(hash);
    if (other !== undefined) return [other, id];
    byHash.set(hash, id);
  }
  throw new Error("no two ids have the same hash");
}

function intern(deviceIds: InternedNames, bytes: Buffer, offset = 0): string | undefined {
  const frame = Buffer.concat([Buffer.alloc(offset, 255), bytes, Buffer.alloc(3, 255)]);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return deviceIds.intern(frame, view, offset, offset + bytes.length);
}
