import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { type FakeServers, startFakeServers } from "../../testing/mongo-init/mongo-set-fixture.ts";
import { createMongoServers } from "./mongo-servers.ts";
import type { MongoServers, ReplicaSetPlan } from "./replica-set-plan.ts";
import { setUpReplicaSet } from "./set-up.ts";

const admin = { name: "admin", password: "admin-s3cret" };
const application = { name: "devicemesh", password: "app=s3,cret" };
const roles = [
  { role: "readWrite", db: "mesh" },
  { role: "dbAdmin", db: "mesh" },
];

/** Runs the job with the real driver; resolves with its output. */
async function run(
  servers: Pick<FakeServers, "hosts">,
  changes: Partial<ReplicaSetPlan> = {},
  limits: {
    readonly timeoutMs?: number;
    readonly recheckMs?: number;
    readonly said?: string[];
    readonly changed?: Partial<MongoServers>;
  } = {},
): Promise<string[]> {
  const { timeoutMs = 30_000, recheckMs = 20, said = [] } = limits;
  const plan = {
    name: "devicemesh",
    members: servers.hosts,
    admin,
    application,
    database: "mesh",
    ...changes,
  };
  await setUpReplicaSet(plan, {
    servers: { ...createMongoServers(plan, 1000, recheckMs), ...limits.changed },
    patience: {
      over: AbortSignal.timeout(timeoutMs),
      everyMs: 20,
      onWait: (what, reason) => said.push(`waiting for ${what}: ${reason}`),
    },
    report: (line) => said.push(line),
  });
  return said;
}

describe("the set-up of a replica set", () => {
  it("creates a read-only user if the plan has one", async () => {
    await using servers = await startFakeServers(1, { admin });
    const said = await run(servers, { inspector: { name: "inspector", password: "look" } });
    expect(servers.changes.slice(-2)).toEqual(["createUser devicemesh", "createUser inspector"]);
    expect(said).toContain("user inspector is made, with read on mesh");
  });

  it("initiates the set of new servers, and creates the mesh's user with the operator's rights on one database", async () => {
    await using servers = await startFakeServers(3, { admin });
    const said = await run(servers);
    expect(servers.changes).toEqual([
      `replSetInitiate ${servers.hosts[0]}`,
      "setDefaultRWConcern",
      "createUser devicemesh",
    ]);
    expect(servers.config()).toEqual({
      _id: "devicemesh",
      version: 1,
      members: servers.hosts.map((host, _id) => ({ _id, host })),
    });
    expect(servers.data.users.get("devicemesh")).toEqual({ password: application.password, roles });
    expect(servers.data.defaultWriteConcern).toBe("majority");
    expect(said.at(-1)).toBe("done: replica set devicemesh is ready for devicemesh");
    expect(said.join()).not.toContain("s3");
  });

  it("changes nothing when it runs again", async () => {
    await using servers = await startFakeServers(3, { admin });
    await run(servers);
    const before = [...servers.changes];
    const said = await run(servers);
    expect(servers.changes).toEqual(before);
    expect(said).toEqual(
      expect.arrayContaining([
        "replica set devicemesh is there",
        "user devicemesh is there, with readWrite and dbAdmin on mesh",
      ]),
    );
  });

  it("has the same result when two run at once", async () => {
    await using servers = await startFakeServers(3, { admin });
    await Promise.all([run(servers), run(servers), run(servers)]);
    expect([...servers.changes].sort()).toEqual([
      "createUser devicemesh",
      `replSetInitiate ${servers.hosts[0]}`,
      ...Array.from({ length: servers.changes.length - 2 }, () => "setDefaultRWConcern"),
    ]);
  });

  it("accepts a user that another run has created meanwhile", async () => {
    await using servers = await startFakeServers(1, { admin });
    await run(servers);
    let asked = 0;
    const readRoles = async () => (asked++ === 0 ? undefined : roles);
    const said = await run(servers, {}, { changed: { readRoles } });
    expect(said).toContain("user devicemesh is there, with readWrite and dbAdmin on mesh");
  });

  it("waits for a server that is not up yet, and names it", async () => {
    await using servers = await startFakeServers(3, { admin });
    await servers.stop(1);
    const said: string[] = [];
    const done = run(servers, {}, { said });
    await waitUntil(() => said.some((line) => line.startsWith(`waiting for ${servers.hosts[1]}: `)), {
      timeoutMs: 20_000,
    });
    expect(servers.changes).toEqual([]);
    await servers.start(1);
    await done;
    expect(servers.changes[0]).toBe(`replSetInitiate ${servers.hosts[0]}`);
    expect(said.filter((line) => line.startsWith(`waiting for ${servers.hosts[1]}`)).length).toBe(1);
  });

  it("fails with the server's name at the time limit", async () => {
    await using servers = await startFakeServers(2, { admin });
    await servers.stop(1);
    const failed = run(servers, {}, { timeoutMs: 300 });
    await expect(failed).rejects.toThrow(
      new RegExp(`^${servers.hosts[1]}: .*the time is over \\(--timeout\\)`),
    );
    expect(servers.changes).toEqual([]);
  });

  it("adds missing servers, one at a time, and keeps additional ones", async () => {
    await using servers = await startFakeServers(4, { admin });
    const [first, second, third, fourth] = servers.hosts as unknown as [string, string, string, string];
    await run(servers, { members: [first, second] });
    const before = servers.changes.length;
    const said = await run(servers, { members: [first, third, fourth] });
    expect(servers.changes.slice(before)).toEqual([
      `replSetReconfig +${third}`,
      `replSetReconfig +${fourth}`,
    ]);
    expect(servers.config()).toMatchObject({
      version: 3,
      members: [first, second, third, fourth].map((host, _id) => ({ _id, host })),
    });
    expect(said).toContain(`${second} is in the set and not in --members: it stays`);
  });

  it("waits for an election, and continues with the elected server", async () => {
    await using servers = await startFakeServers(3, { admin });
    await run(servers);
    await servers.stop(0);
    await servers.start(0);
    servers.elect({ after: 40 });
    const before = [...servers.changes];
    const said = await run(servers, {}, { recheckMs: 500 });
    expect(said.join("\n")).toContain("waiting for the replica set: ");
    expect(servers.changes).toEqual(before);
  });

  it("changes the user's password, and adds missing roles", async () => {
    await using servers = await startFakeServers(1, { admin });
    await run(servers);
    const other = { name: "devicemesh", password: "another" };
    const said = await run(servers, { application: other });
    expect(said).toContain(
      "user devicemesh is changed: it has readWrite and dbAdmin on mesh, and the password given",
    );
    expect(servers.data.users.get("devicemesh")).toEqual({ password: "another", roles });
    servers.data.users.set("devicemesh", { password: "another", roles: roles.slice(0, 1) });
    await run(servers, { application: other });
    expect(servers.changes.slice(-2)).toEqual(["updateUser devicemesh", "updateUser devicemesh"]);
    expect(servers.data.users.get("devicemesh")?.roles).toEqual(roles);
  });

  it("names the secret when the administrator's password is wrong, and does not show it", async () => {
    await using servers = await startFakeServers(2, { admin });
    const failed = run(servers, { admin: { name: "admin", password: "wr0ng" } });
    await expect(failed).rejects.toThrow(SettingsError);
    await expect(failed).rejects.toThrow("--admin-password (DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE)");
    await expect(failed).rejects.not.toThrow("wr0ng");
    expect(servers.changes).toEqual([]);
  });

  it("does not change a set of another name", async () => {
    await using servers = await startFakeServers(1, { admin });
    await run(servers);
    await expect(run(servers, { name: "other" })).rejects.toThrow(
      "is in the replica set devicemesh, not other: check --replica-set",
    );
  });

  it("reports the error of a server", async () => {
    await using servers = await startFakeServers(1, { admin, setName: "started-so" });
    await expect(run(servers)).rejects.toThrow("started with --replSet started-so");
  });
});
