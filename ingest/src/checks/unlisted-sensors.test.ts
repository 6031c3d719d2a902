import { create, toBinary } from "@bufbuild/protobuf";
import { createSensorCatalog } from "@devicemesh/proto";
import { PublishReadingsRequestSchema } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { expect, it } from "vitest";
import { createFrameDecoder } from "../wire/frame-decoder.ts";
import { createDeviceIds } from "../wire/wire.ts";
import { createReadingChecks } from "./reading-checks.ts";

const nowMs = Date.UTC(2026, 10, 24);

/** Checks readings of one sensor, which no catalog lists, with these values. */
function checkedBy(catalog: ReturnType<typeof createSensorCatalog>, values: readonly number[]) {
  const decode = createFrameDecoder({ deviceIds: createDeviceIds({ slots: 64 }), catalog });
  const readings = values.map((value) => ({
    deviceId: "a",
    timestamp: { seconds: BigInt(nowMs / 1000), nanos: 0 },
    measurement: { case: "sensorValue" as const, value: { sensor: "mood", value } },
  }));
  const frame = toBinary(PublishReadingsRequestSchema, create(PublishReadingsRequestSchema, { readings }));
  const decoded = decode(Buffer.from(frame));
  if (decoded.kind !== "columns") throw new Error(decoded.kind);
  return createReadingChecks({ catalog })(decoded.columns, { nowMs, refusalsMax: 10 });
}

it("rejects values of unlisted sensors whose squares have no finite sum, and adds no sensor for them", () => {
  const catalog = createSensorCatalog(undefined, { acceptsUnlisted: true });
  const before = catalog.sensors.length;
  const { refusals } = checkedBy(catalog, [1.01e100, -Number.MAX_VALUE, Number.POSITIVE_INFINITY]);
  expect(refusals.map(({ row, ruleId }) => [row, ruleId])).toEqual([
    [0, "double.gte_lte"],
    [1, "double.gte_lte"],
    [2, "double.finite"],
  ]);
  expect(refusals[0]).toMatchObject({
    fieldPath: "sensor_value.value",
    text: "must be greater than or equal to -1e+100 and less than or equal to 1e+100",
  });
  expect(catalog.sensors).toHaveLength(before);
  expect([...checkedBy(catalog, [1e100, -1e100, Number.MIN_VALUE, -0]).batch.values]).toEqual([
    1e100,
    -1e100,
    Number.MIN_VALUE,
    -0,
  ]);
});
