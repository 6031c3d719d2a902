import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type ExpectedRecording, expectedRecordings } from "@devicemesh/import/testing/expected-recordings";
import { importRecordings } from "@devicemesh/import/testing/run-import";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { startTestMesh } from "@devicemesh/standalone/testing/test-mesh";
import { describe, expect, it } from "vitest";

/** The user's knowledge of a recording, as flags; as parameters they have no dashes. */
function flagsOf({ options }: ExpectedRecording): readonly (readonly [name: string, value: string])[] {
  const { zone, order, device, sensor, units, missing, columns } = options;
  return [
    ...Object.entries({ zone, order, device, sensor }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
    ...[...(units ?? [])].map(([name, unit]) => ["unit", `${name}=${unit}`] as const),
    ...(missing ?? []).map((value) => ["missing", value] as const),
    ...[...(columns ?? [])].map(([column, target]) => ["map", `${column}=${target}`] as const),
  ];
}

/** The stored series, in the form of `expected.json`. */
async function storedSeries(query: string) {
  const transport = createConnectTransport({ baseUrl: `http://${query}`, httpVersion: "1.1" });
  const { rows } = await createClient(QueryService, transport).getAggregates({});
  return Object.fromEntries(
    rows.map(({ deviceId, sensor, count, minimum, maximum, sum }) => [
      `${deviceId}|${sensor}`,
      { count: Number(count), minimum, maximum, sum },
    ]),
  );
}

/** Equal in count, minimum and maximum; sums within 1e-12 of the largest value. */
function asExpected(series: ExpectedRecording["series"]) {
  return Object.fromEntries(
    Object.entries(series).map(([name, { sum, ...exact }]) => [
      name,
      { ...exact, sum: expect.closeTo(sum, 8) },
    ]),
  );
}

describe("the recordings, end to end", () => {
  it.each(expectedRecordings())("$file, from the command line", async (recording) => {
    const mesh = await startTestMesh();
    const { code, output } = await importRecordings([
      recording.path,
      "--to",
      mesh.ingest,
      ...flagsOf(recording).flatMap(([name, value]) => [`--${name}=${value}`]),
    ]);
    expect(await storedSeries(mesh.query), output).toEqual(asExpected(recording.series));
    expect(code, output).toBe(recording.leftOut.bad_rows === undefined ? 0 : 1);
  });

  it.each(expectedRecordings())("$file, uploaded", async (recording) => {
    const mesh = await startTestMesh();
    const parameters = new URLSearchParams(flagsOf(recording).map(([name, value]) => [name, value]));
    const upload = () =>
      fetch(`http://${mesh.query}/v1/import?${parameters}`, {
        method: "POST",
        body: readFileSync(recording.path),
      });
    const response = await upload();
    const { report, ...rest } = (await response.json()) as { report: Record<string, number> };
    expect(response.status, JSON.stringify(rest)).toBe(200);
    const { bad_rows, missing, unknown_sensor, duplicates, conflicts, refused, stored, values } = report;
    const leftOut = { bad_rows, missing, unknown_sensor, duplicates, conflicts, refused };
    expect(Object.fromEntries(Object.entries(leftOut).filter(([, count]) => count! > 0))).toEqual(
      recording.leftOut,
    );
    expect(stored! + Object.values(leftOut).reduce((sum: number, count) => sum + count!, 0)).toBe(values);
    expect(await storedSeries(mesh.query)).toEqual(asExpected(recording.series));

    // Loaded once more, nothing is stored, and the sum holds.
    const again = ((await (await upload()).json()) as { report: Record<string, number> }).report;
    expect(again).toMatchObject({ stored: 0, resent: 0, unsent: 0, values });
    expect(again.duplicates! + again.conflicts!).toBe(stored! + duplicates! + conflicts!);
    expect(again.conflicts).toBe(conflicts);
  });
});
