import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { openRecoveringStore } from "../recovering-store.ts";

it("the last change of a filter moves with readings that match it, and not with others", async () => {
  using folder = temporaryFolder();
  await using store = await openRecoveringStore({ folder: folder.path, clock: Date.now });
  const { lastChangeOf } = store.readings;
  let timestampMs = 0;
  const append = (deviceId: string, sensor: "temperature" | "humidity") =>
    store.log.append(batchOf([{ deviceId, sensor, timestampMs: timestampMs++, value: 1 }]));
  const changes = () => ({
    pair: lastChangeOf({ deviceIds: ["a", "b"], sensors: [] }),
    one: lastChangeOf({ deviceIds: ["a"], sensors: ["humidity"] }),
    all: lastChangeOf({ deviceIds: [], sensors: [] }),
  });
  const changedBy = async (act: () => Promise<unknown>) => {
    const before = changes();
    await act();
    const after = changes();
    return Object.keys(before).filter((key) => before[key as "all"] !== after[key as "all"]);
  };
  expect(await changedBy(() => append("a", "temperature"))).toEqual(["pair", "all"]);
  expect(await changedBy(() => append("a", "humidity"))).toEqual(["pair", "one", "all"]);
  expect(await changedBy(() => append("c", "humidity"))).toEqual(["all"]);
  expect(await changedBy(() => append("b", "humidity"))).toEqual(["pair", "all"]);
  const many = Array.from({ length: 101 }, (_, place) => `${place}`);
  expect(lastChangeOf({ deviceIds: many, sensors: [] })).toBeUndefined();
});
