import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultCache } from "@devicemesh/engines";
import { isInstalled, partFolder } from "@devicemesh/engines/install/engine-parts";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = join(root, "aggregator/proto");
const jar = sparkConnectJar();

/** The jar that contains Spark's protos, if Spark is installed. */
function sparkConnectJar(): string | undefined {
  const cache = process.env.DEVICEMESH_ENGINES_CACHE ?? defaultCache();
  if (!isInstalled(cache, "spark")) return undefined;
  const folder = partFolder(cache, "spark");
  const name = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((file) =>
    /spark-connect_2\.13-[0-9.]+\.jar$/.test(file),
  );
  return name === undefined ? undefined : join(folder, name);
}

/**
 * All rules except those about code generation in other languages. Ours is a subset: further fields of Spark are
 * additions.
 */
const rules = JSON.stringify({
  version: "v2",
  breaking: {
    use: ["PACKAGE", "WIRE"],
    except: ["FILE_SAME_JAVA_MULTIPLE_FILES", "FILE_SAME_JAVA_PACKAGE", "FILE_SAME_GO_PACKAGE"],
  },
});

/** Returns buf's list of breaking differences between Spark's protos and those in a folder. */
function brokenBySpark(folder: string): string {
  const buf = join(root, "node_modules/@bufbuild/buf/bin/buf");
  const args = [buf, "breaking", `${jar}#format=zip`, "--against", folder, "--config", rules];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  return `${stdout}${stderr}`;
}

describe.skipIf(jar === undefined)("our subset of Spark Connect's protos", () => {
  it("agrees with the protos in Spark's jar, in names, numbers and types", () => {
    expect(brokenBySpark(ours)).toBe("");
  });

  it.each([
    ["a number that is another field's", "last_progress = 3;", "last_progress = 4;"],
    ["a number that no field has", "stop = 5;", "stop = 50;"],
    ["another type", "string run_id = 2;", "int64 run_id = 2;"],
    ["a call that Spark does not know", "rpc Config(", "rpc Configure("],
  ])("differs from them with %s", (_, right, wrong) => {
    using folder = temporaryFolder();
    cpSync(ours, folder.path, { recursive: true });
    const files = readdirSync(folder.path, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".proto"))
      .map((file) => join(folder.path, file));
    const changed = files.filter((file) => {
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace(right, wrong));
      return text.includes(right);
    });
    expect(changed).toHaveLength(1);
    expect(brokenBySpark(folder.path)).toMatch(/spark\/connect\/\w+\.proto/);
  });
});
