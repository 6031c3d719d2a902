import { randomUUID } from "node:crypto";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { type Db, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMongoServers } from "./mongo-servers.ts";
import { applicationRoles } from "./replica-set-plan.ts";

const engines = await testEngines();

// The stand-in for MongoDB is a fixed set that cannot be changed; its users and passwords work like MongoDB's.
describe.skipIf(!engines)("the users of a database", () => {
  const unique = randomUUID().slice(0, 8);
  const [admin, application] = [`admin-${unique}`, `devicemesh-${unique}`];
  const roles = applicationRoles(`mesh-${unique}`);
  let client: MongoClient;
  let adminDatabase: Db;
  let name = "";

  beforeAll(async () => {
    client = new MongoClient(engines!.mongodbUrl);
    adminDatabase = client.db("admin");
    await adminDatabase.command({ createUser: admin, pwd: "admin-password", roles: ["root"] });
    ({ setName: name } = await adminDatabase.command({ hello: 1 }));
  });

  afterAll(async () => {
    await adminDatabase?.command({ dropUser: admin });
    await adminDatabase?.command({ dropUser: application });
    await client?.close();
  });

  const serversWith = (password: string) =>
    createMongoServers({
      name,
      members: [new URL(engines!.mongodbUrl).host],
      admin: { name: admin, password },
    });

  it("are created, found, changed, and admitted only with their password", async () => {
    const servers = serversWith("admin-password");
    const [host] = [new URL(engines!.mongodbUrl).host];
    expect(await servers.readState(host)).toEqual({ setName: name, inReplicaSetMode: true });
    expect(await servers.readStatus()).toEqual([{ host, state: "PRIMARY" }]);
    expect(await servers.readRoles(application)).toBeUndefined();
    await servers.createUser({ name: application, password: "one" }, roles.slice(0, 1));
    expect(await servers.readRoles(application)).toEqual(roles.slice(0, 1));
    expect(await servers.accepts({ name: application, password: "one" })).toBe(true);
    expect(await servers.accepts({ name: application, password: "two" })).toBe(false);
    await servers.updateUser({ name: application, password: "two" }, roles);
    expect(await servers.readRoles(application)).toEqual(roles);
    expect(await servers.accepts({ name: application, password: "two" })).toBe(true);
    expect(await servers.accepts({ name: application, password: "one" })).toBe(false);
  });

  it("cannot be changed with a wrong password of the administrator", async () => {
    await expect(serversWith("wr0ng").readRoles(application)).rejects.toThrow("--admin-password");
  });
});
