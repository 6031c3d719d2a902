import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startFakeServers } from "../../testing/mongo-init/mongo-set-fixture.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const admin = { name: "admin", password: "admin-s3cret" };

/** Runs the job as a process with passwords in files. */
async function run(
  hosts: readonly string[],
  passwords: Readonly<Record<string, string>>,
  args: readonly string[] = [],
) {
  using folder = temporaryFolder();
  const files = Object.entries(passwords).map(([name, password]) => {
    const path = join(folder.path, name.toLowerCase());
    writeFileSync(path, `${password}\n`);
    return [`DEVICEMESH_MONGODB_${name}_PASSWORD_FILE`, path];
  });
  const env = { ...Object.fromEntries(files), DEVICEMESH_MONGODB_MEMBERS: hosts.join(",") };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("mongo-init", () => {
  it("does everything with passwords from files, prints each step, and exits with 0", async () => {
    await using servers = await startFakeServers(2, { admin });
    const passwords = { ADMIN: admin.password, APPLICATION: "app-s3cret" };
    const { code, stdout, stderr } = await run(servers.hosts, passwords);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trim().split("\n").at(-1)).toBe("done: replica set devicemesh is ready for devicemesh");
    expect(stdout).not.toContain("s3cret");
    expect(servers.data.users.get("devicemesh")?.password).toBe("app-s3cret");
  });

  it("exits with 2 if a password is wrong or missing, and names the variable", async () => {
    await using servers = await startFakeServers(1, { admin });
    const wrong = await run(servers.hosts, { ADMIN: "wr0ng", APPLICATION: "app-s3cret" });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE");
    expect(wrong.stdout + wrong.stderr).not.toMatch(/wr0ng|s3cret/);
    const missing = await run(servers.hosts, { ADMIN: admin.password });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("DEVICEMESH_MONGODB_APPLICATION_PASSWORD_FILE");
    expect(servers.changes).toEqual([]);
  });

  it("exits with 2 for an invalid list of servers", async () => {
    const passwords = { ADMIN: "a", APPLICATION: "b" };
    const wrong = await run(["mongo-1"], passwords);
    expect([wrong.code, wrong.stderr]).toEqual([2, 'mongo-init: --members: "mongo-1" is not HOST:PORT\n']);
    const twice = await run(["a:1", "a:1"], passwords);
    expect([twice.code, twice.stderr]).toEqual([2, "mongo-init: --members: a server is there twice\n"]);
  });

  it("exits with 1 at the time limit", async () => {
    const { code, stderr } = await run(["127.0.0.1:1"], { ADMIN: "a", APPLICATION: "b" }, [
      "--timeout",
      "1s",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mongo-init: 127\.0\.0\.1:1: .*ECONNREFUSED.*the time is over \(--timeout\)\n$/);
  });
});
