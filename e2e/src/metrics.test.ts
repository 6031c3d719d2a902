import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { scrape } from "@devicemesh/kit/testing/metrics-scrape";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allMetrics } from "../../scripts/metrics-tables.ts";
import { type MeshProcess, startMesh } from "../testing/mesh-process.ts";

const recording = new URL("../../generator/recordings/seattle-hourly-normals.csv", import.meta.url).pathname;
const readings = 17_518;

describe("npm start with --metrics-port", () => {
  const folder = temporaryFolder();
  let mesh: MeshProcess;
  let address: string;

  beforeAll(async () => {
    mesh = await startMesh(folder.path, ["--no-generator", "--replay", recording, "--metrics-port", "0"]);
    await waitUntil(() => mesh.output().includes("17,518 values in all"), {
      timeoutMs: 30_000,
      what: "the replay",
    });
    address = /^metrics on (\S+)$/m.exec(mesh.output())?.[1] ?? "";
  });
  afterAll(async () => {
    await mesh?.stop();
    folder[Symbol.dispose]();
  });

  it("exports every metric of its parts and of RPCs, and no other, as docs/metrics.md explains them", async () => {
    const text = await (await fetch(`http://${address}/metrics`)).text();
    const reported = text.match(/^# HELP (?!process_|nodejs_).*$/gm)?.sort();
    const ours = ["Every process, of each RPC", "Ingest", "Embedded store", "Query", "Generator", "Gateway"];
    const explained = allMetrics
      .filter(({ who }) => ours.includes(who))
      .flatMap(({ definitions }) => Object.values(definitions))
      .map(({ name, help }) => `# HELP ${name} ${help}`)
      .sort();
    expect(reported).toEqual(explained);
  });

  it("counts exactly the stored readings, and the sources of an answer", async () => {
    const transport = createConnectTransport({ baseUrl: `http://${mesh.query}`, httpVersion: "1.1" });
    const { rows } = await createClient(QueryService, transport).getAggregates({});
    const { accepted } = await createClient(IngestService, transport).publishReadingBatch({
      readings: [
        {
          deviceId: "metrics",
          timestamp: { seconds: 1_767_268_800n },
          measurement: { case: "thermostat", value: { temperature: 21 } },
        },
      ],
    });
    expect(accepted).toBe(1n);
    expect(rows.reduce((sum, { count }) => sum + Number(count), 0)).toBe(readings);
    const { value, by } = await scrape(address);
    expect(by("devicemesh_ingest_readings_total", "outcome")).toEqual({ accepted: readings + 1 });
    const { raw = 0, windows = 0 } = by("devicemesh_query_readings_covered_total", "source");
    expect(raw + windows).toBe(readings);
    expect(value("devicemesh_ingest_waiting_readings")).toBe(0);
    expect(value("devicemesh_ingest_log_reachable")).toBe(1);
    expect(value("devicemesh_query_store_reachable")).toBe(1);
    const units = value("devicemesh_ingest_units_total", { outcome: "acknowledged" }) ?? 0;
    expect(by("grpc_server_handled_total", "grpc_method")).toEqual({
      PublishReadings: units - 1,
      PublishReadingBatch: 1,
      GetAggregates: 1,
    });
  });

  it("names the flag if the port is in use", async () => {
    const port = address.split(":")[1] ?? "";
    using other = temporaryFolder();
    await expect(startMesh(other.path, ["--metrics-port", port])).rejects.toThrow("--metrics-port");
  });
});
