import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNodeHttp } from "../../peers/node-http.ts";
import { type Load, startLoad } from "./load-process.ts";

const connections = 3;

describe("the load on an HTTP peer", () => {
  let server: Awaited<ReturnType<typeof startNodeHttp>>;
  let load: Load;
  let bodies: string[];
  beforeAll(async () => {
    bodies = [];
    server = await startNodeHttp();
    server.prependListener("request", (request) => {
      let body = "";
      request.on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => bodies.push(body));
    });
    const { port } = server.address() as AddressInfo;
    const settings = { port, devices: 5, connections, startSeconds: 1_795_000_000 };
    load = await startLoad(new URL("./http-load.ts", import.meta.url), settings);
  });
  afterAll(() => {
    load.close();
    server.close();
    server.closeAllConnections();
  });

  it("counts a reading for each request that was answered with 200", async () => {
    let acknowledged = 0;
    while (acknowledged <= 10) acknowledged += await load.run(100);
    expect(acknowledged).toBe(bodies.length);
  });

  it("sends each device's readings a second apart, in the contract's JSON", () => {
    const readings = bodies.map((body) => JSON.parse(body) as { device_id: string; timestamp: string });
    const times = readings
      .filter(({ device_id }) => device_id === "thermostat-0004")
      .map(({ timestamp }) => Date.parse(timestamp))
      .sort((a, b) => a - b);
    expect(times.slice(1).every((time, index) => time - times[index]! === 1000)).toBe(true);
    expect(readings[0]).toMatchObject({ thermostat: { temperature: expect.any(Number) } });
  });

  it("continues after the server has closed its idle connections", async () => {
    server.closeAllConnections();
    expect(await load.run(100)).toBeGreaterThanOrEqual(connections);
  });

  it("reports that the server has ended", async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await expect(load.run(100)).rejects.toThrow("ECONNREFUSED");
  });
});
