import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, startEdge } from "../testing/edge-fixture.ts";

describe.skipIf(envoyBinary === undefined)("a batch in JSON through Envoy", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>;
  beforeAll(async () => {
    edge = await startEdge();
  });
  afterAll(() => edge?.close());

  async function publish(timestamp: string, heartRateMeter: unknown): Promise<unknown> {
    const response = await fetch(`http://${edge.address}/devicemesh.v1.IngestService/PublishReadingBatch`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ readings: [{ deviceId: "json", timestamp, heartRateMeter }] }),
    });
    return await response.json();
  }

  it("stores an explicit 0, and rejects a measurement without its value", async () => {
    expect(await publish("2026-01-01T12:00:00Z", { heartRate: 0 })).toMatchObject({ accepted: "1" });
    for (const measurement of [{}, { heartRate: null }]) {
      const answer = await publish("2026-01-01T12:00:01Z", measurement);
      expect(answer).toMatchObject({ accepted: "0", refused: "1" });
      expect(answer).toHaveProperty("refusedReadings.0.fieldPath", "heart_rate_meter.heart_rate");
      expect(answer).toHaveProperty("refusedReadings.0.ruleId", "required");
    }
    expect(edge.memory.readAll().filter(({ deviceId }) => deviceId === "json")).toMatchObject([{ value: 0 }]);
  });

  it("reads a second of 60 as the next minute, as documented", async () => {
    expect(await publish("2026-01-01T11:58:60Z", { heartRate: 61 })).toMatchObject({ accepted: "1" });
    const stored = edge.memory.readAll().find(({ value }) => value === 61);
    expect(stored?.timestampMs).toBe(Date.UTC(2026, 0, 1, 11, 59));
  });

  it.each(["2026-02-30T12:00:00Z", "2026-02-29T12:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z"])(
    "rejects the impossible date %s and names the field",
    async (timestamp) => {
      const answer = await publish(timestamp, { heartRate: 60 });
      expect(answer).toMatchObject({ code: "invalid_argument" });
      expect(answer).toHaveProperty("message", expect.stringContaining("readings[0].timestamp"));
    },
  );
});
