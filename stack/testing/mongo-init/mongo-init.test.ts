import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { createFakeServers } from "./mongosh-fixture.ts";

const hosts = ["mongo-1:27017", "mongo-2:27017", "mongo-3:27017"] as const;
const admin = { password: "p@ss word/%" };

describe("the script that makes the replica set", () => {
  it("initiates the set with every server, and makes the users with their roles", () => {
    const servers = createFakeServers(hosts, admin);
    const { code, lines } = servers.run({ DEVICEMESH_MONGODB_INSPECTOR_PASSWORD: "inspects" });
    expect([code, lines.at(-1)]).toEqual([0, "done: replica set devicemesh is ready"]);
    const writeConcern = { w: "majority" };
    expect(JSON.parse(JSON.stringify(servers.commands))).toEqual([
      {
        replSetInitiate: {
          _id: "devicemesh",
          version: 1,
          members: hosts.map((host, _id) => ({ _id, host })),
        },
      },
      {
        createUser: "devicemesh",
        pwd: "application",
        roles: ["readWrite", "dbAdmin"].map((role) => ({ role, db: "devicemesh" })),
        writeConcern,
      },
      { createUser: "inspector", pwd: "inspects", roles: [{ role: "read", db: "devicemesh" }], writeConcern },
    ]);
  });

  it("has the same result when it runs again, and sets a new password of the user", () => {
    const servers = createFakeServers(hosts, admin);
    servers.run();
    const before = servers.commands.length;
    expect(servers.run({ DEVICEMESH_MONGODB_APPLICATION_PASSWORD: "new" }).code).toBe(0);
    const again = servers.commands.slice(before);
    expect(again).toMatchObject([{ updateUser: "devicemesh", pwd: "new" }]);
  });

  it("accepts blanks in the list of servers", () => {
    const servers = createFakeServers(hosts, admin);
    expect(servers.run({ DEVICEMESH_MONGODB_MEMBERS: hosts.join(", ") }).code).toBe(0);
    expect(servers.commands).toContainEqual(
      expect.objectContaining({
        replSetInitiate: expect.objectContaining({
          members: hosts.map((host) => expect.objectContaining({ host })),
        }),
      }),
    );
  });

  it("adds missing servers one at a time, and does not remove a server that is not in the list", () => {
    const servers = createFakeServers(hosts, admin);
    servers.run({ DEVICEMESH_MONGODB_MEMBERS: "mongo-1:27017,mongo-9:27017" });
    const before = servers.commands.length;
    const { lines } = servers.run();
    const added = servers.commands.slice(before).filter((command) => "replSetReconfig" in command);
    expect(added).toMatchObject([
      {
        replSetReconfig: { version: 2, members: [{}, { host: "mongo-9:27017" }, { _id: 2, host: hosts[1] }] },
      },
      { replSetReconfig: { version: 3, members: [{}, {}, {}, { _id: 3, host: hosts[2] }] } },
    ]);
    expect(lines).toContain(`${hosts[1]} is added to the set`);
  });

  it("waits for a server that is unavailable, and prints the reason once", () => {
    const servers = createFakeServers(hosts, admin);
    servers.unavailable.set(hosts[1], 3);
    const { code, lines } = servers.run();
    expect(code).toBe(0);
    const waiting = lines.filter((line) => line.startsWith("waiting for"));
    expect(waiting).toEqual([`waiting for ${hosts[1]}: connect ECONNREFUSED ${hosts[1]}`]);
  });

  it("ends with 1 and the name of the server at the time limit", () => {
    const servers = createFakeServers(hosts, admin);
    servers.unavailable.set(hosts[2], 1000);
    const { code, lines } = servers.run({ DEVICEMESH_MONGODB_INIT_SECONDS: "5" });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(
      /^mongo-init: mongo-3:27017: .*the time limit has passed \(DEVICEMESH_MONGODB_INIT_SECONDS\)$/,
    );
    expect(servers.commands).toEqual([]);
  });

  it.each([
    ["is in another set", { setName: "other" }, "is in the replica set other, not devicemesh"],
    [
      "is in no set",
      { isreplicaset: false },
      "is not a member of a replica set: start it with --replSet devicemesh",
    ],
  ])("ends with 1 if a server %s", (_, hello, text) => {
    const servers = createFakeServers(hosts, admin);
    servers.hello.set(hosts[1], hello);
    const { code, lines } = servers.run();
    expect(code).toBe(1);
    expect(lines.at(-1)).toContain(`mongo-init: ${hosts[1]} ${text}`);
    expect(servers.commands).toEqual([]);
  });

  it("ends with 2 for the wrong password, a missing one, and an invalid server, and shows no password", () => {
    const servers = createFakeServers(hosts, admin);
    const mistakes: [Record<string, string>, string][] = [
      [{ DEVICEMESH_MONGODB_ADMIN_PASSWORD: "wr0ng" }, "DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE"],
      [{ DEVICEMESH_MONGODB_MEMBERS: "mongo-1" }, 'DEVICEMESH_MONGODB_MEMBERS: "mongo-1" is not HOST:PORT'],
    ];
    for (const [env, text] of mistakes) {
      const { code, lines } = servers.run(env);
      expect([code, lines.at(-1)]).toEqual([2, expect.stringContaining(text)]);
      expect(lines.join()).not.toMatch(/wr0ng|application|p@ss/);
    }
    expect(servers.commands).toEqual([]);
  });

  it("reads passwords from files, without the newline at their end", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "password");
    writeFileSync(file, `${admin.password}\n`);
    const servers = createFakeServers(hosts, { password: admin.password });
    const env = { DEVICEMESH_MONGODB_ADMIN_PASSWORD: "", DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE: file };
    expect(servers.run(env).code).toBe(0);
  });
});
