import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { projectFolder as checkout } from "../deploy/stack-files.ts";

/** A page of Spark's master, in the format of 4.1. */
function masterPage(status: string, applications: readonly string[]): string {
  const written = (names: readonly string[]) =>
    names.map((name) => `{\n "id" : "app-1", "name" : "${name}"\n}`);
  return `{
  "url" : "spark://127.0.0.1:7077",
  "activeapps" : [ ${written(applications).join(", ")} ],
  "completedapps" : [ ${written(["devicemesh"]).join(", ")} ],
  "activedrivers" : [ ],
  "status" : "${status}"
}`;
}

/** A server that sends the same response to every request. */
async function listening(answer: () => string) {
  const server = createServer((_, response) => response.end(answer())).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: String((server.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Runs the entry script in a folder with a configuration and a `java` that does nothing. */
function run(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  mkdirSync(join(folder, "bin"), { recursive: true });
  mkdirSync(join(folder, "spark"), { recursive: true });
  writeFileSync(join(folder, "bin/java"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(folder, "spark/module-options.txt"), "-Da=b\n");
  const options = {
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      DEVICEMESH_HOME: folder,
      DEVICEMESH_STATE: join(folder, "state"),
      ...env,
    },
  };
  return new Promise<{ readonly code: number; readonly text: string }>((resolve) => {
    execFile(
      "bash",
      [join(checkout, "stack/images/spark-entry.sh"), ...args],
      options,
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    );
  });
}

describe("the health of Spark Connect in a cluster", () => {
  async function healthOver(page: string | undefined, master = "spark://127.0.0.1:7077") {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "config"));
    writeFileSync(
      join(folder.path, "config/spark-defaults.conf"),
      `# a comment\nspark.app.name devicemesh\nspark.master ${master}\n`,
    );
    await using connect = await listening(() => "");
    await using shown = await listening(() => page ?? "");
    const { code, text } = await run(folder.path, ["healthy", "connect"], {
      SPARK_CONNECT_PORT: connect.port,
      SPARK_MASTER_WEBUI_PORT: page === undefined ? "9" : shown.port,
    });
    return code === 0 ? "healthy" : text.trim();
  }
  const lost = "the master does not know the application of Spark Connect";

  it("fails if a live master does not list its application, because no driver recovers from that", async () => {
    expect(await healthOver(masterPage("ALIVE", ["another"]))).toBe(lost);
    expect(await healthOver(masterPage("ALIVE", []))).toBe(lost);
    expect(await healthOver(masterPage("ALIVE", ["another", "devicemesh"]))).toBe("healthy");
  });

  it("passes while the master is dead or recovering, and without a master", async () => {
    expect(await healthOver(undefined)).toBe("healthy");
    expect(await healthOver(masterPage("RECOVERING", []))).toBe("healthy");
    expect(await healthOver(masterPage("ALIVE", []), "local[2]")).toBe("healthy");
  });
});

describe("the recovery files of Spark's master", () => {
  it("are kept between starts, and dropped after a start that never became healthy", async () => {
    using folder = temporaryFolder();
    const recovery = join(folder.path, "state/recovery");
    await using page = await listening(() => masterPage("ALIVE", []));
    const healthy = () => run(folder.path, ["healthy", "master"], { SPARK_MASTER_WEBUI_PORT: page.port });

    await run(folder.path, ["master"]);
    writeFileSync(join(recovery, "worker_1"), "");
    expect((await healthy()).code).toBe(0);
    await run(folder.path, ["master"]);
    expect(readdirSync(recovery)).toContain("worker_1");

    // Its health check never passed since then.
    await run(folder.path, ["master"]);
    expect(existsSync(join(recovery, "worker_1"))).toBe(false);
  });
});
