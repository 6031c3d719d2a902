import { systemClock } from "@devicemesh/client/clock";
import { ackUnit, createFakeSender } from "@devicemesh/client/testing/outbox-fixture";
import { createSensorCatalog } from "@devicemesh/proto";
import { expect, it } from "vitest";
import { openDelivery } from "./delivery.ts";

it("sends the readings of one device in units that the embedded store commits without waiting for each other", async () => {
  const { sender, sent } = createFakeSender(ackUnit);
  const delivery = openDelivery({
    to: "",
    sender,
    catalog: createSensorCatalog(),
    clock: systemClock,
    onGiveUp: () => {},
  });
  const { signal } = new AbortController();
  for (let number = 0; number < 100_000; number++) {
    if (!delivery.add("logger", 1, 1_700_000_000_000 + number, 20)) await delivery.capacity(signal);
  }
  await delivery.flush(signal);
  expect(sent.map((values) => values.length)).toEqual([40_000, 40_000, 20_000]);
  expect(delivery.answered().acked).toBe(100_000);
  await delivery.close();
});
