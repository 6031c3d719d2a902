import { describe, expect, it } from "vitest";
import { createLogEnd } from "./log-end.ts";
import type { Tick } from "./ticks.ts";

const tick = (partition: number, offset: number, appendedMs: number): Tick => ({
  partition,
  offset,
  appendedMs,
});

describe("createLogEnd", () => {
  it("reports no message while there are only ticks", () => {
    const end = createLogEnd(undefined);
    end.add({ ticks: [tick(0, 0, 1000), tick(1, 0, 1000)], lost: [] });
    end.add({ ticks: [tick(0, 1, 2000), tick(1, 1, 2000)], lost: [] });
    expect(end.logEndMs).toBeUndefined();
  });

  it("is the latest tick that follows messages, in any partition", () => {
    const end = createLogEnd(undefined);
    end.add({ ticks: [tick(0, 0, 1000), tick(1, 0, 1000)], lost: [] });
    end.add({ ticks: [tick(0, 1, 2000), tick(1, 5, 2003)], lost: [] });
    end.add({ ticks: [tick(0, 2, 3000), tick(1, 6, 3003)], lost: [] });
    expect(end.logEndMs).toBe(2003);
  });

  it("assumes messages before the first tick of all", () => {
    const end = createLogEnd(undefined);
    end.add({ ticks: [tick(0, 7, 1000)], lost: [] });
    expect(end.logEndMs).toBe(1000);
  });

  it("keeps an earlier result although it does not know the records before its own first tick", () => {
    const end = createLogEnd(500);
    end.add({ ticks: [tick(0, 7, 1000)], lost: [] });
    expect(end.logEndMs).toBe(500);
    end.add({ ticks: [tick(0, 9, 2000)], lost: [] });
    expect(end.logEndMs).toBe(2000);
  });

  it("does not count a tick with a lost acknowledgement as a message", () => {
    const end = createLogEnd(500);
    end.add({ ticks: [tick(0, 7, 1000)], lost: [] });
    end.add({ ticks: [], lost: [0] });
    end.add({ ticks: [tick(0, 9, 3000)], lost: [] });
    expect(end.logEndMs).toBe(500);
    end.add({ ticks: [tick(0, 11, 4000)], lost: [] });
    expect(end.logEndMs).toBe(4000);
  });
});
