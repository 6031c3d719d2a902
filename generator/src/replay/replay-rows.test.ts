import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createRandom } from "@devicemesh/client/random";
import { startFakeIngest, temperatureOf } from "@devicemesh/client/testing/fake-ingest";
import { settle } from "@devicemesh/client/testing/outbox-fixture";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { describe, expect, it } from "vitest";
import { header, iso, lines, recordingFile, startMs } from "../../testing/recording-fixture.ts";
import { replaySummaryText } from "../texts.ts";
import { replayFile } from "./replay.ts";

describe("the rows of a replay", () => {
  const write = recordingFile();

  it("parses quoted fields, and reads no value from a row that does not match the header", async () => {
    await using ingest = await startFakeIngest();
    const quoted = write(
      [
        "device_id,timestamp,sensor,location,value",
        `a,${iso(startMs)},temperature,"48.85, 2.35, 35",21.5`,
      ].join("\n"),
    );
    expect(await replayFile({ file: quoted, target: ingest.target })).toMatchObject({ acked: 1, bad: 0 });
    expect(ingest.temperatures).toEqual([21.5]);
    const decimalComma = write([header, `a,${iso(startMs)},temperature,21,5`].join("\n"));
    expect(await replayFile({ file: decimalComma, target: ingest.target })).toMatchObject({
      acked: 0,
      bad: 1,
    });
  });

  it("stores the first of conflicting rows, however its units are delayed and sent again", async () => {
    const identities = 40;
    const rows = Array.from({ length: 2000 }, (_, at) => {
      const identity = at % identities;
      return `device-${identity % 5},${iso(startMs + 1000 * identity)},temperature,${Math.floor(at / identities)}`;
    });
    const file = write([header, ...rows].join("\n"));
    for (const seed of [1n, 2n, 3n, 4n]) {
      const stored = new Map<string, number>();
      const random = createRandom(seed, 0);
      const sender: UnitSender = {
        async send(unit) {
          for (const { bytes } of unit.frames) {
            for (let rounds = Math.floor(random() * 4); rounds > 0; rounds--) await settle();
            for (const reading of PublishReadingsRequest.decode(bytes).readings) {
              const identity = `${reading.deviceId}|${reading.timestamp?.seconds}`;
              if (!stored.has(identity)) stored.set(identity, temperatureOf(reading));
            }
          }
          const { readings } = unit;
          return random() < 0.7
            ? { kind: "acked", accepted: readings, refused: 0, refusedReadings: [] }
            : { kind: "failed", code: "UNAVAILABLE", message: "lost", retryDelayMs: 0 };
        },
        close() {},
      };
      const summary = await replayFile({
        file,
        target: "nowhere",
        sender,
        limits: { frameReadings: 20, unitReadings: 60, unitsInFlight: 4 },
      });
      expect(summary).toMatchObject({ ended: "complete", sent: 2000, acked: 2000 });
      expect([...stored.values()]).toEqual(Array.from({ length: identities }, () => 0));
      expect(summary).toMatchObject({
        duplicates: { duplicates: 0, conflicts: 2000 - identities, unknown: 0 },
      });
      expect(summary.duplicates.firstConflicts[0]).toMatchObject({
        reading: { line: 2 + identities, value: 1 },
        first: { line: 2, value: 0 },
      });
    }
  });

  it("reports duplicate rows of the file", async () => {
    await using ingest = await startFakeIngest();
    const [first = ""] = lines(1);
    const summary = await replayFile({
      file: write(
        [header, first, first, first.replace(/,0$/, ",0.0"), first.replace(/,0$/, ",1")].join("\n"),
      ),
      target: ingest.target,
    });
    expect(summary).toMatchObject({
      readRows: 4,
      sent: 4,
      acked: 4,
      duplicates: { duplicates: 2, conflicts: 1 },
    });
    const text = replaySummaryText(summary);
    expect(text).toContain(
      "2 come again in the file with the same value (stored once) and 1 with another value",
    );
    expect(text).toContain("line 5: 1, while line 2 has 0 for the same device, sensor and time");
  });
});
