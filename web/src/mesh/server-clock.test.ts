import { expect, it } from "vitest";
import { createServerClock } from "./server-clock.ts";

it("the server's clock is estimated within a second and the time of a call, from dates in whole seconds", () => {
  for (const aheadMs of [-90_000, -400, 0, 700, 86_400_000]) {
    const clock = createServerClock();
    for (let place = 0; place < 50; place++) {
      const sentMs = 1_000_000 + place * 1370;
      const answeredMs = Math.floor((sentMs + 20 + aheadMs) / 1000) * 1000;
      clock.observe({ sentMs, receivedMs: sentMs + 40, answeredMs });
    }
    expect(Math.abs(clock.nowMs(5) - 5 - aheadMs)).toBeLessThanOrEqual(1100);
  }
  const clock = createServerClock();
  clock.observe({ sentMs: 0, receivedMs: 1, answeredMs: Number.NaN });
  expect(clock.nowMs(7)).toBe(7);
});
