import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEnvoy } from "@devicemesh/envoy";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBusyIngest } from "./busy-ingest-fixture.ts";
import {
  type ExampleMeshes,
  followCommand,
  readExample,
  runCommand,
  runShown,
  startExampleMeshes,
} from "./example-commands-fixture.ts";

/** An example that sends, queries and watches, in any language. */
export type ClientExample = {
  /** Its folder in examples/; its devices are called `demo-<name>-…`. */
  readonly name: string;
  /** The program itself, which replaces the command of its page; known when the tests begin. */
  readonly program: () => string;
  /** A command of its page in the form in which it runs here. */
  readonly adapt?: (command: string) => string;
  /** Once, before the tests. */
  readonly prepare: () => Promise<void>;
};

const windowMs = 10_000;

/** The requirements for every client example, through Envoy. */
export function describeClientExample(example: ClientExample): void {
  const { folder, commands } = readExample(example.name);
  const adapt = example.adapt ?? ((command) => command);
  const device = (what: string) => `demo-${example.name}-${what}`;
  let meshes: ExampleMeshes;
  const scratch = temporaryFolder();
  const plain = (): string => `--address 127.0.0.1:${meshes.plain.envoy.plain.port}`;
  const run = (args: string) => runCommand(`${example.program()} ${args}`, folder);
  const csv = (lines: readonly string[]): string => {
    const file = join(scratch.path, "readings.csv");
    writeFileSync(file, ["device_id,timestamp,sensor,value", ...lines, ""].join("\n"));
    return file;
  };

  describe(`the ${example.name} client, through Envoy`, () => {
    beforeAll(async () => {
      [meshes] = await Promise.all([startExampleMeshes(), example.prepare()]);
    }, 180_000);
    afterAll(async () => {
      await meshes?.[Symbol.asyncDispose]();
      scratch[Symbol.dispose]();
    });

    it.each(commands)("prints what its page shows: $name", async ({ command, shown }) => {
      await runShown(meshes.here(adapt(command)), shown, folder);
    });

    it("has stored exactly the readings of its page", async () => {
      const others = [
        { deviceId: device("barometer"), sensor: "pressure", count: 2n, average: 1013.5 },
        { deviceId: device("hygrometer"), sensor: "humidity", count: 1n, average: 40 },
      ];
      const thermostat = { deviceId: device("thermostat"), sensor: "temperature" };
      expect(await meshes.storedIn("secure", device(""))).toEqual([
        ...others,
        { ...thermostat, count: 4n, average: 21.25 },
      ]);
      // Plus the current one, for the watch.
      expect(await meshes.storedIn("plain", device(""))).toEqual([
        ...others,
        { ...thermostat, count: 5n, average: 20.9 },
      ]);
    });

    it("sends more readings than fit into a unit, each once", async () => {
      const total = 12_001;
      const startMs = Date.parse("2026-02-01T00:00:00Z");
      const lines = Array.from({ length: total }, (_, index) => {
        const at = new Date(startMs + index * 1000).toISOString();
        return `${device("many")},${at},humidity,${index % 101}`;
      });
      const { stdout, code } = await run(`publish ${plain()} ${csv(lines)}`);
      expect([code, stdout]).toEqual([0, `accepted ${total}, refused 0\n`]);
      const sum = lines.reduce((so, _, index) => so + (index % 101), 0);
      const [stored] = await meshes.storedIn("plain", device("many"));
      expect(stored).toMatchObject({ sensor: "humidity", count: BigInt(total) });
      expect(stored?.average).toBeCloseTo(sum / total, 9);
    });

    it("shows changes while it watches, and exits with 0 when it is interrupted", async () => {
      const watch = followCommand(
        `${example.program()} watch ${plain()} --devices ${device("live")}`,
        folder,
      );
      await waitUntil(() => watch.output().includes("watching (windows so far: 0)"), {
        timeoutMs: 20_000,
        what: "the snapshot",
      });
      const atMs = Math.floor(Date.now() / windowMs) * windowMs;
      for (const [index, temperature] of [20, 21, 25].entries()) {
        await meshes.plain.publish(device("live"), [{ atMs: atMs + index, temperature }]);
        const readings = ["count 1, average 20.00 °C", "count 2, average 20.50", "count 3, average 22.00"];
        await waitUntil(() => watch.output().includes(readings[index] ?? ""), {
          timeoutMs: 20_000,
          what: `${readings[index]} in ${watch.output()}`,
        });
      }
      expect(await watch.end()).toBe(0);
    });

    it("sends a unit again while ingest is unavailable", async () => {
      using ingest = await startBusyIngest({ refuseFirst: 1 });
      const { code, stdout, stderr } = await run(`publish --address ${ingest.address} readings.csv`);
      expect([code, stdout]).toEqual([0, "accepted 8, refused 0\n"]);
      expect(stderr).toContain("the log is unavailable; trying again");
      expect(ingest.units).toHaveLength(2);
      expect(ingest.units[1]).toEqual(ingest.units[0]);
    });

    it("reports an error, and fails", async () => {
      const secure = `--address 127.0.0.1:${meshes.secure.envoy.public?.port}`;
      const anonymous = await run(`aggregates ${secure} --ca ${meshes.certificates.authority}`);
      expect([anonymous.code, anonymous.stdout]).toEqual([1, ""]);
      expect(anonymous.stderr).toMatch(/unauthenticated: /i);

      const unavailable = await run("aggregates --address 127.0.0.1:1");
      expect(unavailable.code).toBe(1);
      expect(unavailable.stderr).toMatch(/unavailable: /i);

      const token = await run(
        `aggregates ${plain()} --token-file ${meshes.certificates.folder}/user-reader.jwt`,
      );
      expect(token.code).toBe(2);
      expect(token.stderr).toContain("in cleartext no caller can be identified");

      const line = csv([`${device("wrong")},2026-01-01T00:00:00Z,temperature,1`, "a,b,c,d"]);
      const unread = await run(`publish ${plain()} ${line}`);
      expect([unread.code, unread.stdout]).toEqual([1, ""]);
      expect(unread.stderr).toContain("line 3: ");
      expect(await meshes.storedIn("plain", device("wrong"))).toEqual([]);
    });

    it("resumes watching after an outage of the front door", async () => {
      const { envoy, envoyOptions } = meshes.plain;
      const watch = followCommand(
        `${example.program()} watch ${plain()} --devices ${device("later")}`,
        folder,
      );
      const snapshots = () => watch.output().split("watching (windows so far: 0)").length - 1;
      await waitUntil(() => snapshots() === 1, { timeoutMs: 20_000, what: "the snapshot" });
      await envoy.close();
      await waitUntil(() => /unavailable: .*trying again/i.test(watch.output()), {
        timeoutMs: 20_000,
        what: "that the mesh is unavailable",
      });
      await using again = await startEnvoy({ ...envoyOptions, plain: envoy.plain });
      await waitUntil(() => snapshots() === 2, { timeoutMs: 30_000, what: `it again: ${watch.output()}` });
      expect(again.plain).toEqual(envoy.plain);
      expect(await watch.end()).toBe(0);
    });
  });
}
