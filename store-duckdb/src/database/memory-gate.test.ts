import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryGate, type GatedRead, type MemoryGate } from "./memory-gate.ts";

/** A read or a write whose end the test decides. */
function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ended: promise, end: resolve };
}

function readOf(gate: MemoryGate, onInterrupt = () => {}): GatedRead & { end(): void } {
  const { ended, end } = work();
  const read = {
    ended,
    interrupt: onInterrupt,
    end() {
      gate.reads.delete(read);
      end();
    },
  };
  return read;
}

describe("the gate of the memory, once memory is short", () => {
  it("runs a write after the reads that run, and admits reads after the write", async () => {
    const gate = createMemoryGate();
    const before = readOf(gate);
    gate.reads.add(before);
    gate.ranOut();
    const order: string[] = [];
    const write = work();
    const writing = gate.alone(async () => {
      order.push("write begins");
      await write.ended;
      order.push("write ends");
    });
    const after = readOf(gate);
    const admitted = gate.admit(after).then(() => order.push("read begins"));
    order.push("first read ends");
    before.end();
    await expect.poll(() => order).toContain("write begins");
    expect(gate.reads.has(after)).toBe(false);
    write.end();
    await Promise.all([writing, admitted]);
    expect(order).toEqual(["first read ends", "write begins", "write ends", "read begins"]);
    expect(gate.reads.has(after)).toBe(true);
  });

  it("interrupts reads that do not end in time, until they do", async () => {
    const gate = createMemoryGate({ patienceMs: 1 });
    let interrupts = 0;
    const read = readOf(gate, () => {
      // The first one comes between two statements.
      if (++interrupts === 2) read.end();
    });
    gate.reads.add(read);
    gate.ranOut();
    await gate.alone(async () => {});
    expect(interrupts).toBe(2);
  });

  it("continues after a write has failed", async () => {
    const gate = createMemoryGate();
    gate.ranOut();
    await expect(gate.alone(() => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    await gate.alone(async () => {});
    const read = readOf(gate);
    await gate.admit(read);
    expect(gate.reads.has(read)).toBe(true);
  });

  it("treats memory as sufficient again after a time", async () => {
    const gate = createMemoryGate({ shortMs: 1 });
    gate.ranOut();
    expect(gate.isShort).toBe(true);
    await expect.poll(() => gate.isShort).toBe(false);
  });

  it("runs every write without any other statement, and every statement eventually", async () => {
    const events = fc.array(fc.constantFrom("read", "write", "end read", "end write"), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(events, async (sequence) => {
        const gate = createMemoryGate({ patienceMs: 60_000 });
        gate.ranOut();
        const readsRunning: ReturnType<typeof readOf>[] = [];
        const writesRunning: ReturnType<typeof work>[] = [];
        const all: Promise<unknown>[] = [];
        let isAlone = true;
        const endOne = async (what: string) => {
          if (what === "end read") readsRunning.shift()?.end();
          if (what === "end write") writesRunning.shift()?.end();
          // Everything that can run now begins.
          for (let round = 0; round < 12; round++) await Promise.resolve();
        };
        let begun = 0;
        let asked = 0;
        for (const event of sequence) {
          if (event === "read") {
            asked++;
            const read = readOf(gate);
            all.push(
              gate.admit(read).then(() => {
                begun++;
                isAlone &&= writesRunning.length === 0;
                readsRunning.push(read);
              }),
            );
          } else if (event === "write") {
            asked++;
            all.push(
              gate.alone(async () => {
                begun++;
                isAlone &&= writesRunning.length === 0 && readsRunning.length === 0;
                const write = work();
                writesRunning.push(write);
                await write.ended;
              }),
            );
          }
          await endOne(event);
        }
        while (readsRunning.length > 0 || writesRunning.length > 0) {
          await endOne("end read");
          await endOne("end write");
        }
        await Promise.all(all);
        expect({ isAlone, begun }).toEqual({ isAlone: true, begun: asked });
      }),
    );
  });
});
