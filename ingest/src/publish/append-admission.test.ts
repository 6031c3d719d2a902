import { RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { describe, expect, it } from "vitest";
import { batchOf, seriesOf } from "../../testing/message-log.contract.ts";
import { abortCall, type CallSignal, createAppendAdmission, createCallSignal } from "./admission.ts";

const never = createCallSignal();
const gone = (message: string) => new RpcError({ code: "CANCELLED", message });

/** An admission over a log that answers on request; appends are named by the device of their readings. */
function openAdmission(readingsMax: number) {
  const open = new Map<string, { resolve(): void; reject(error: unknown): void }>();
  const appended: string[] = [];
  const admission = createAppendAdmission({
    readingsMax,
    log: {
      append(batch) {
        const name = batch.deviceIds[0] as string;
        appended.push(name);
        return new Promise((resolve, reject) =>
          open.set(name, { resolve: () => resolve({ duplicates: 1, conflicts: 2 }), reject }),
        );
      },
    },
  });
  return {
    admission,
    appended,
    openUnit: (unit: { appendsMax?: number; signal?: CallSignal; onFailure?: () => void } = {}) =>
      admission.openUnit({ appendsMax: 100, signal: never, onFailure() {}, ...unit }),
    async answer(name: string, error?: unknown) {
      if (error === undefined) open.get(name)?.resolve();
      else open.get(name)?.reject(error);
      await Promise.resolve().then(() => {});
    },
  };
}

const batch = (name: string, count: number) => batchOf(seriesOf(name, count));

describe("the admission of appends", () => {
  it("admits appends at once if they fit", () => {
    const { admission, appended, openUnit } = openAdmission(10);
    expect(openUnit().add(batch("a", 4))).toBeUndefined();
    expect(openUnit().add(batch("b", 6))).toBeUndefined();
    expect(admission.readings).toBe(10);
    expect(appended).toEqual(["a", "b"]);
  });

  it("admits the others when there is capacity, in order of arrival", async () => {
    const { admission, appended, openUnit, answer } = openAdmission(10);
    openUnit().add(batch("first", 5));
    openUnit().add(batch("second", 5));
    const large = openUnit().add(batch("large", 8));
    // It would fit before the large one, but must not overtake it.
    const small = openUnit().add(batch("small", 3));
    const smallest = openUnit().add(batch("smallest", 1));
    await answer("first");
    expect([admission.readings, appended.length]).toEqual([5, 2]);
    await answer("second");
    await large;
    expect(admission.readings).toBe(8);
    await answer("large");
    await Promise.all([small, smallest]);
    expect(appended).toEqual(["first", "second", "large", "small", "smallest"]);
    expect(admission.readings).toBe(4);
  });

  it("admits an append that is larger than the limit alone", () => {
    const { openUnit } = openAdmission(10);
    expect(openUnit().add(batch("a", 11))).toBeUndefined();
    expect(openUnit().add(batch("b", 1))).toBeInstanceOf(Promise);
  });

  it("admits no append of a unit whose signal aborts, and admits the queued ones after it", async () => {
    const { admission, appended, openUnit } = openAdmission(10);
    openUnit().add(batch("a", 5));
    const signal = createCallSignal();
    const left = openUnit({ signal }).add(batch("left", 8));
    const behind = openUnit().add(batch("behind", 5));
    abortCall(signal, gone("gone"));
    await expect(left).rejects.toThrow("gone");
    await behind;
    expect([admission.readings, appended]).toEqual([10, ["a", "behind"]]);
    const before = createCallSignal();
    abortCall(before, gone("gone before"));
    const aborted = openUnit({ signal: before });
    await expect(aborted.add(batch("b", 1))).rejects.toThrow("gone before");
  });

  it("queues a unit at its own limit without queuing the others", async () => {
    const { openUnit, appended, answer } = openAdmission(1000);
    const unit = openUnit({ appendsMax: 2 });
    expect(unit.add(batch("a", 1))).toBeUndefined();
    const held = unit.add(batch("b", 1));
    expect(held).toBeInstanceOf(Promise);
    expect(openUnit().add(batch("other", 1))).toBeUndefined();
    await answer("a");
    await held;
    expect(appended).toEqual(["a", "b", "other"]);
  });

  it("rejects a unit with its first failure, and frees its capacity", async () => {
    const { admission, openUnit, answer } = openAdmission(10);
    let failures = 0;
    const unit = openUnit({ onFailure: () => failures++ });
    unit.add(batch("a", 4));
    unit.add(batch("b", 4));
    const drained = expect(unit.drained()).rejects.toThrow("first");
    await answer("b", unavailable({ message: "first", retryDelayMs: 1 }));
    await answer("a", unavailable({ message: "second", retryDelayMs: 1 }));
    await drained;
    expect([admission.readings, failures]).toEqual([0, 1]);
  });
});
