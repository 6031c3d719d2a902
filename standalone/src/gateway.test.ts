import { expect, it } from "vitest";
import { listReadings, startTestMesh } from "../testing/test-mesh.ts";

it("stores documents and line protocol that are sent to the address of query", async () => {
  const mesh = await startTestMesh();
  const post = (path: string, body: string, type: string) =>
    fetch(`http://${mesh.query}${path}`, { method: "POST", headers: { "content-type": type }, body });
  const original =
    '{"device_id":"1","timestamp":"2023-03-28T20:04:22Z","temperature":25.2,"tag":"Thermostat"}';
  const answer = await post("/v1/readings", original, "application/json");
  expect([answer.status, await answer.json()]).toMatchObject([200, { accepted: 1, refused: 0 }]);
  const line = "air,host=pi temperature=21.5,humidity=40 1680033862123456789";
  expect((await post("/api/v2/write?org=o&bucket=b", line, "text/plain")).status).toBe(204);
  const bad = await post("/v1/readings", '{"device_id":"1","temperature":999}', "application/json");
  expect([bad.status, await bad.json()]).toMatchObject([
    400,
    { accepted: 0, refused_readings: [{ index: 0, field: "temperature", rule: "double.gte_lte" }] },
  ]);
  const at = "2023-03-28T20:04:22.123Z";
  expect(await listReadings(mesh)).toEqual([
    { deviceId: "1", sensor: "temperature", timestamp: "2023-03-28T20:04:22Z", value: 25.2 },
    { deviceId: "pi", sensor: "humidity", timestamp: at, value: 40 },
    { deviceId: "pi", sensor: "temperature", timestamp: at, value: 21.5 },
  ]);
});
