import { describe, expect, it } from "vitest";
import { frameOf, ingestServers, startTestIngest, thermostatReading } from "../../testing/ingest-fixture.ts";

describe.each(ingestServers)("a reading that would begin a series too many on %s", (server) => {
  it("is listed as rejected with series.limit; the others are stored, and an invalid reading creates no series", async () => {
    const asked: string[] = [];
    const known = new Set<string>();
    await using test = await startTestIngest({
      server,
      dependencies: {
        admitSeries(deviceId, sensorCode) {
          asked.push(`${deviceId}/${sensorCode}`);
          if (!known.has(deviceId) && known.size === 2) return "would begin a new series: at most 2";
          known.add(deviceId);
          return undefined;
        },
      },
    });
    const outcome = await test.client.publish(
      frameOf(
        thermostatReading("a"),
        thermostatReading("never", 0, 1000),
        thermostatReading("b"),
        thermostatReading("c"),
        thermostatReading("a", 1),
      ),
    );
    expect(outcome).toMatchObject({
      kind: "ok",
      response: {
        accepted: 3n,
        refused: 2n,
        refusedReadings: [
          { ordinal: 1n, ruleId: "double.gte_lte" },
          {
            ordinal: 3n,
            fieldPath: "device_id",
            ruleId: "series.limit",
            text: "would begin a new series: at most 2",
          },
        ],
      },
    });
    expect(asked).toEqual(["a/0", "b/0", "c/0", "a/0"]);
    expect(test.ingest.stats().refusedByRule.get("series.limit")).toBe(1);
  });
});
