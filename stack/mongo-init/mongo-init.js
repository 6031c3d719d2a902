// For mongosh, which the image of MongoDB contains: creates the replica set and the users of the mesh. Running it again
// has the same result. See README.md. mongosh awaits the result of each call by itself.

const fs = require("node:fs");
const { env } = process;
const prefix = "DEVICEMESH_MONGODB_";

/** A setting is wrong: waiting would not help. */
const settingsError = (message) => Object.assign(new Error(message), { name: "SettingsError" });
/** Not possible yet. */
const waitError = (message) => Object.assign(new Error(message), { name: "WaitError" });

/** Returns a setting, from its variable or the file that the variable with _FILE names. */
function setting(name, fallback) {
  const variable = prefix + name;
  const file = env[`${variable}_FILE`];
  const value = file ? fs.readFileSync(file, "utf8").replace(/\r?\n$/, "") : (env[variable] ?? fallback);
  if (value === undefined) throw settingsError(`${variable} is missing: set it, or ${variable}_FILE`);
  return value;
}

/** Errors of a server that is starting, electing or unavailable, by name; by code where drivers have no name for it. */
const passing = [
  ...["WaitError", "MongoNetworkError", "MongoNetworkTimeoutError", "MongoServerSelectionError"],
  ...["NodeNotFound", "ShutdownInProgress", "NotYetInitialized", "NewReplicaSetConfigurationIncompatible"],
  ...["ConfigurationInProgress", "PrimarySteppedDown", "CurrentConfigNotCommittedYet", "NotWritablePrimary"],
  ...[
    "InterruptedAtShutdown",
    "InterruptedDueToReplStateChange",
    "NotPrimaryNoSecondaryOk",
    "NotPrimaryOrSecondary",
  ],
];

const authenticationFailed = 18;

const deadline = Date.now() + Number(setting("INIT_SECONDS", "300")) * 1000;

/** Returns the result of `attempt`, which is retried each second while its error may pass. */
function until(what, attempt) {
  let known = "";
  for (;;) {
    try {
      // In two steps: mongosh awaits a call, but not before a return, and its error would pass this catch.
      const result = attempt();
      return result;
    } catch (error) {
      if (error.code === authenticationFailed) {
        throw settingsError(`MongoDB rejects a password: check ${prefix}ADMIN_PASSWORD_FILE (${what})`);
      }
      if (!passing.includes(error.codeName) && !passing.includes(error.name)) throw error;
      if (Date.now() > deadline)
        throw new Error(`${what}: ${error.message}; the time limit has passed (${prefix}INIT_SECONDS)`);
      if (error.message !== known) print(`waiting for ${what}: ${error.message}`);
      known = error.message;
    }
    sleep(1000);
  }
}

const connections = new Map();

/** Runs a command on the servers of a connection string, as a user if one is given. */
function run(hosts, query, user, command) {
  const login = user ? `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}@` : "";
  const url = `mongodb://${login}${hosts}/admin?${query}&serverSelectionTimeoutMS=3000&connectTimeoutMS=3000&appName=mongo-init`;
  if (!connections.has(url)) connections.set(url, connect(url));
  return connections.get(url).adminCommand(command);
}

function main() {
  const members = setting("MEMBERS", "mongo-1:27017,mongo-2:27017,mongo-3:27017")
    .split(",")
    .map((member) => member.trim());
  const wrong = members.find((member) => !/^[^\s:/@]+:\d{1,5}$/.test(member));
  if (wrong !== undefined) throw settingsError(`${prefix}MEMBERS: "${wrong}" is not HOST:PORT`);
  const set = setting("REPLICA_SET", "devicemesh");
  const database = setting("DATABASE", "devicemesh");
  const admin = { name: setting("ADMIN_USER", "admin"), password: setting("ADMIN_PASSWORD") };
  // readWrite is enough for reading, writing, collections and indexes; changing validators (collMod) needs dbAdmin.
  const users = [
    {
      name: setting("APPLICATION_USER", "devicemesh"),
      password: setting("APPLICATION_PASSWORD"),
      roles: ["readWrite", "dbAdmin"],
    },
  ];
  const inspector = setting("INSPECTOR_PASSWORD", "");
  if (inspector !== "") users.push({ name: "inspector", password: inspector, roles: ["read"] });
  const asAdmin = (command) => run(members.join(","), `replicaSet=${set}`, admin, command);

  // Only the first server has an administrator, whom the image creates: a server with data of its own cannot join.
  let isMade = false;
  for (const member of members) {
    const hello = until(member, () => run(member, "directConnection=true", undefined, { hello: 1 }));
    if (hello.setName === undefined && !hello.isreplicaset) {
      throw new Error(`${member} is not a member of a replica set: start it with --replSet ${set}`);
    }
    if (hello.setName !== undefined && hello.setName !== set) {
      throw new Error(
        `${member} is in the replica set ${hello.setName}, not ${set}: check ${prefix}REPLICA_SET`,
      );
    }
    isMade = isMade || hello.setName !== undefined;
    print(`${member} answers`);
  }
  if (!isMade) {
    const config = { _id: set, version: 1, members: members.map((host, _id) => ({ _id, host })) };
    until(`replica set ${set}`, () => {
      try {
        run(members[0], "directConnection=true", admin, { replSetInitiate: config });
      } catch (error) {
        if (error.codeName !== "AlreadyInitialized") throw error;
      }
    });
    print(`replica set ${set} is made, of ${members.join(", ")}`);
  }

  /** Waits for a primary, and until more than half of the servers have the data. Returns the names of all. */
  function untilMajority() {
    return until("a majority of the replica set", () => {
      const { members: found } = asAdmin({ replSetGetStatus: 1 });
      const ready = found.filter(({ stateStr }) => ["PRIMARY", "SECONDARY"].includes(stateStr)).length;
      const isLed = found.some(({ stateStr }) => stateStr === "PRIMARY");
      if (!isLed || ready * 2 <= found.length) {
        throw waitError(found.map(({ name, stateStr }) => `${name} ${stateStr}`).join(", "));
      }
      return found.map(({ name }) => name);
    });
  }
  const there = untilMajority();
  // One at a time, as MongoDB requires. A server that the set has and the list has not stays.
  for (const host of members.filter((member) => !there.includes(member))) {
    until(host, () => {
      const { config } = asAdmin({ replSetGetConfig: 1 });
      if (config.members.some((member) => member.host === host)) return;
      const _id = Math.max(...config.members.map((member) => member._id)) + 1;
      const added = [...config.members, { _id, host }];
      asAdmin({ replSetReconfig: { ...config, version: config.version + 1, members: added } });
    });
    print(`${host} is added to the set`);
    untilMajority();
  }

  for (const { name, password, roles } of users) {
    const rights = {
      pwd: password,
      roles: roles.map((role) => ({ role, db: database })),
      writeConcern: { w: "majority" },
    };
    const exists = until(`user ${name}`, () => {
      const found = asAdmin({ usersInfo: { user: name, db: "admin" } }).users.length > 0;
      asAdmin(found ? { updateUser: name, ...rights } : { createUser: name, ...rights });
      return found;
    });
    print(`user ${name} ${exists ? "has" : "is made, with"} ${roles.join(" and ")} on ${database}`);
  }
  print(`done: replica set ${set} is ready`);
}

try {
  main();
} catch (error) {
  print(`mongo-init: ${error.message}`);
  quit(error.name === "SettingsError" ? 2 : 1);
}
