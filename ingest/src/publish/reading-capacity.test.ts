import { describe, expect, it } from "vitest";
import { createReadingCapacity } from "./reading-capacity.ts";

const never = new AbortController().signal;

describe("the room for readings in flight", () => {
  it("lets in at once what fits", () => {
    const room = createReadingCapacity(10);
    expect(room.take(4, never)).toBeUndefined();
    expect(room.take(6, never)).toBeUndefined();
    expect(room.taken).toBe(10);
  });

  it("lets the others in when there is room, in the order they came", async () => {
    const room = createReadingCapacity(10);
    room.take(10, never);
    const order: string[] = [];
    const large = room.take(8, never)?.then(() => order.push("large"));
    // Would fit before the large one, but must not overtake it.
    const small = room.take(3, never)?.then(() => order.push("small"));
    room.give(5);
    const smallest = room.take(1, never)?.then(() => order.push("smallest"));
    expect(room.taken).toBe(5);
    room.give(5);
    await large;
    expect(room.taken).toBe(8);
    room.give(8);
    await small;
    await smallest;
    expect(order).toEqual(["large", "small", "smallest"]);
    expect(room.taken).toBe(4);
  });

  it("lets in alone what is larger than it", () => {
    const room = createReadingCapacity(10);
    expect(room.take(11, never)).toBeUndefined();
    expect(room.take(1, never)).toBeInstanceOf(Promise);
  });

  it("takes nothing for one whose signal aborts, and serves those behind it", async () => {
    const room = createReadingCapacity(10);
    room.take(5, never);
    const controller = new AbortController();
    const left = room.take(8, controller.signal);
    const behind = room.take(5, never);
    controller.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await behind;
    expect(room.taken).toBe(10);
    await expect(room.take(1, AbortSignal.abort(new Error("gone before")))).rejects.toThrow("gone before");
  });
});
