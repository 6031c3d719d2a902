import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { findNpmProgram } from "@devicemesh/engines/testing/host-tools";
import { findStandIn, startStandIn } from "@devicemesh/engines/testing/stand-in";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { MongoClient } from "mongodb";
import { expect, it } from "vitest";
import { script } from "./mongosh-fixture.ts";

const [mongosh, standIn] = [findNpmProgram("mongosh"), findStandIn()];

// The stand-in is a fixed set of one server; its users and passwords work like MongoDB's.
it.skipIf(mongosh === undefined || standIn === undefined)(
  "mongosh runs the script of the stack: the users are made, changed, and admitted with their passwords only",
  { timeout: 240_000 },
  async () => {
    await using server = await startStandIn(standIn!);
    using home = temporaryFolder();
    await using client = new MongoClient(`mongodb://${server.address}/?directConnection=true`);
    const database = client.db("admin");
    const { setName } = await database.command({ hello: 1 });
    await database.command({ createUser: "admin", pwd: "admin p@ss/%", roles: ["root"] });

    async function run(env: Readonly<Record<string, string>>) {
      const child = spawn(process.execPath, [mongosh!, "--nodb", "--norc", "--quiet", "--file", script], {
        env: {
          HOME: home.path,
          DEVICEMESH_MONGODB_MEMBERS: server.address,
          DEVICEMESH_MONGODB_REPLICA_SET: setName,
          DEVICEMESH_MONGODB_ADMIN_PASSWORD: "admin p@ss/%",
          DEVICEMESH_MONGODB_APPLICATION_PASSWORD: "first",
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [output, errors] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      return { code: child.exitCode, output: `${output}${errors}` };
    }
    const admits = (password: string) => {
      const user = new MongoClient(
        `mongodb://devicemesh:${password}@${server.address}/admin?directConnection=true`,
      );
      const asked = user.db("admin").command({ connectionStatus: 1 });
      return asked
        .then(
          () => true,
          () => false,
        )
        .finally(() => user.close());
    };

    const first = await run({ DEVICEMESH_MONGODB_INSPECTOR_PASSWORD: "inspects" });
    expect(first).toEqual({ code: 0, output: expect.stringMatching(/done: replica set \S+ is ready\n$/) });
    const { users } = await database.command({ usersInfo: 1 });
    const roles = Object.fromEntries(
      (users as { user: string; roles: { role: string; db: string }[] }[]).map(({ user, roles: found }) => [
        user,
        found,
      ]),
    );
    const onMesh = (...names: string[]) => names.map((role) => ({ role, db: "devicemesh" }));
    expect(roles.devicemesh).toEqual(onMesh("readWrite", "dbAdmin"));
    expect(roles.inspector).toEqual(onMesh("read"));
    expect([await admits("first"), await admits("second")]).toEqual([true, false]);

    expect(await run({ DEVICEMESH_MONGODB_APPLICATION_PASSWORD: "second" })).toMatchObject({ code: 0 });
    expect([await admits("first"), await admits("second")]).toEqual([false, true]);

    const wrong = await run({ DEVICEMESH_MONGODB_ADMIN_PASSWORD: "wr0ng" });
    expect(wrong).toEqual({
      code: 2,
      output: expect.stringContaining("DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE"),
    });
    expect(wrong.output).not.toContain("wr0ng");

    const late = await run({
      DEVICEMESH_MONGODB_MEMBERS: "127.0.0.1:1",
      DEVICEMESH_MONGODB_INIT_SECONDS: "1",
    });
    expect(late).toEqual({
      code: 1,
      output: expect.stringMatching(
        /^waiting for 127\.0\.0\.1:1: [\s\S]*mongo-init: 127\.0\.0\.1:1: .*time limit has passed/,
      ),
    });
  },
);
