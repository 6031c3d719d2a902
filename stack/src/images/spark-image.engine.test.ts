import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { renderTemplate } from "@devicemesh/engines/plans/template";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { imageEntries, imageFlaws, stateFolder } from "../../testing/images/image-contents.ts";
import { checkout, replayOf, replayProblem } from "../../testing/images/image-fixture.ts";
import { runImage, startImage } from "../../testing/images/image-run.ts";
import type { ReplayedImage } from "../../testing/images/replay-image.ts";
import { sparkRowCount } from "../../testing/images/spark-question-fixture.ts";

const engines = await testEngines();
const loopback = "127.0.0.1";

describe.skipIf(engines === undefined || replayProblem !== undefined)("the image of Spark", () => {
  it("is a master, a worker and Spark Connect, whose question is answered by an executor of the worker", async () => {
    using replay = await replayOf("spark", process.env);
    const { image, folder } = replay;
    expect(imageFlaws(image)).toEqual([]);
    const bytes = imageEntries(image).reduce((sum, entry) => sum + entry.bytes, 0);
    process.stdout.write(`images: spark adds ${(bytes / 1e6).toFixed(1)} MB to its base\n`);
    expect(bytes).toBeLessThan(400e6);

    const [master, masterPage, worker, workerPage, connect] = (await freePorts(5)).map(String);
    const masterUrl = `spark://${loopback}:${master}`;
    const environment = {
      DEVICEMESH_ADDRESS: loopback,
      SPARK_MASTER_URL: masterUrl,
      SPARK_MASTER_PORT: master!,
      SPARK_MASTER_WEBUI_PORT: masterPage!,
      SPARK_WORKER_PORT: worker!,
      SPARK_WORKER_WEBUI_PORT: workerPage!,
      SPARK_CONNECT_PORT: connect!,
      SPARK_CONNECT_AUTHENTICATE_TOKEN_FILE: "/run/secrets/spark_token",
      SPARK_LOCAL_IP: loopback,
    };
    const token = join(folder, "spark_token");
    writeFileSync(token, "a-token-of-the-test\n");
    const template = readFileSync(join(checkout, "engines/config/spark-defaults.conf"), "utf8");
    const config = join(folder, "spark-defaults.conf");
    const values = {
      master: masterUrl,
      advertisedHost: loopback,
      listenHost: loopback,
      driverPort: 0,
      blockManagerPort: 0,
      connectPort: connect!,
      localFolder: `${stateFolder}/local`,
      warehouseFolder: `${stateFolder}/warehouse`,
    };
    writeFileSync(config, renderTemplate(template, values));

    const start = async (part: "master" | "worker" | "connect") => {
      const container = await startImage(image, {
        command: [part],
        environment,
        volumes: { [stateFolder]: volumeOf(image, folder, part) },
        configs: {
          "/opt/devicemesh/config/spark-defaults.conf": config,
          "/run/secrets/spark_token": token,
        },
      });
      const healthy = () => runImage(image, { command: ["healthy", part], environment });
      expect((await healthy()).exitCode).toBe(1);
      const ready = async () => container.hasEnded() || (await healthy()).exitCode === 0;
      await waitUntil(ready, { timeoutMs: 180_000, everyMs: 250, what: `${part} is healthy` });
      expect(container.hasEnded(), container.output.stdout + container.output.stderr).toBe(false);
      return container;
    };
    await using masterContainer = await start("master");
    const [workerContainer, connectContainer] = await Promise.all([start("worker"), start("connect")]);
    await using rest = new AsyncDisposableStack();
    rest.use(workerContainer);
    rest.use(connectContainer);

    const evenNumbers = "SELECT id FROM range(0, 100, 1, 2) WHERE id % 2 = 0";
    const address = `${loopback}:${connect}`;
    await expect(sparkRowCount(address, "another", evenNumbers)).rejects.toThrow("UNAUTHENTICATED");
    expect(await sparkRowCount(address, "a-token-of-the-test", evenNumbers)).toBe(50);
    const { executors } = (await (await fetch(`http://${loopback}:${workerPage}/json/`)).json()) as {
      readonly executors: readonly unknown[];
    };
    expect(executors).toHaveLength(1);
    for (const container of [connectContainer, workerContainer, masterContainer]) {
      expect(container.output.stdout).not.toMatch(/ ERROR /);
      expect(await container.stop()).toBe(143);
    }
  }, 600_000);
});

/** A named volume: at first it has the owner that its place has in the image. */
function volumeOf(image: ReplayedImage, folder: string, name: string): string {
  const volume = join(folder, `${name}-volume`);
  mkdirSync(volume);
  chownSync(volume, image.user.uid, image.user.gid);
  return volume;
}
