import { startWireServer, type WireServer } from "@devicemesh/pipeline/testing/mongo-wire-fixture";
import { Binary, type Document } from "mongodb";
import type { Role, SetConfig } from "../../src/mongo-init/replica-set-plan.ts";
import { startScram } from "./scram-fixture.ts";

type User = { password: string; roles: readonly Role[] };
type Data = { users: Map<string, User>; defaultWriteConcern: string | undefined };
type Member = { host: string; server: WireServer | undefined; data: Data; config: SetConfig | undefined };
type Connection = { user: string | undefined; scram: ReturnType<typeof startScram> | undefined };

/** Commands that need no authentication. */
const open = new Set(["hello", "ismaster", "isMaster", "saslStart", "saslContinue", "ping", "endSessions"]);

/** Servers that can form a replica set, and a record of their commands. They check passwords and store nothing. */
export type FakeServers = AsyncDisposable & {
  readonly hosts: readonly [string, ...string[]];
  /** The commands that changed something, in order: `replSetInitiate 127.0.0.1:…`. */
  readonly changes: readonly string[];
  readonly config: () => SetConfig | undefined;
  readonly data: Data;
  stop(n: number): Promise<void>;
  start(n: number): Promise<void>;
  /** The primary steps down; the next running server takes over after this number of commands. */
  elect(options: { readonly after: number }): void;
};

/** Starts servers, the first of which has an administrator. */
export async function startFakeServers(
  count: number,
  options: {
    readonly admin: { readonly name: string; readonly password: string };
    readonly setName?: string;
  },
): Promise<FakeServers> {
  const { admin, setName = "devicemesh" } = options;
  const changes: string[] = [];
  const emptyData = (): Data => ({ users: new Map(), defaultWriteConcern: undefined });
  const members: Member[] = [];
  let questionsUntilPrimary = 3;

  const inSet = (member: Member): boolean =>
    member.config?.members.some(({ host }) => host === member.host) === true;
  const primary = (): Member | undefined => {
    const running = members.filter((member) => member.server && inSet(member));
    const [first] = running;
    const majority = first !== undefined && running.length * 2 > first.config!.members.length;
    return majority && questionsUntilPrimary <= 0 ? first : undefined;
  };

  function hello(member: Member): Document {
    questionsUntilPrimary -= inSet(member) ? 1 : 0;
    const common = {
      ok: 1,
      minWireVersion: 0,
      maxWireVersion: 27,
      logicalSessionTimeoutMinutes: 30,
      readOnly: false,
    };
    const sizes = {
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
    };
    if (!inSet(member)) {
      const info = "Does not have a valid replica set config";
      return { ...common, ...sizes, isWritablePrimary: false, secondary: false, isreplicaset: true, info };
    }
    const isWritablePrimary = primary() === member;
    return {
      ...{ ...common, ...sizes, isWritablePrimary, secondary: !isWritablePrimary },
      ...{ setName: member.config!._id, setVersion: member.config!.version, me: member.host },
      ...{ hosts: member.config!.members.map(({ host }) => host), primary: primary()?.host },
    };
  }

  function spread(config: SetConfig, from: Member): void {
    for (const member of members) {
      if (!config.members.some(({ host }) => host === member.host)) continue;
      member.config = config;
      member.data = from.data;
    }
  }

  function initiate(member: Member, config: SetConfig): Document {
    if (member.config) return failure(23, "AlreadyInitialized", "already initialized");
    if (config._id !== setName)
      return failure(93, "InvalidReplicaSetConfig", `started with --replSet ${setName}`);
    const unfit = members.find(
      (other) => config.members.some(({ host }) => host === other.host) && (!other.server || other.config),
    );
    if (unfit) return failure(74, "NodeNotFound", `quorum check failed: ${unfit.host} did not respond`);
    changes.push(`replSetInitiate ${member.host}`);
    questionsUntilPrimary = 5;
    spread(config, member);
    return { ok: 1 };
  }

  function reconfigure(member: Member, config: SetConfig): Document {
    const current = member.config!;
    const added = config.members.filter(({ host }) => !current.members.some((known) => known.host === host));
    if (config.version !== current.version + 1 || added.length > 1) {
      return failure(
        103,
        "NewReplicaSetConfigurationIncompatible",
        "not one step from the last configuration",
      );
    }
    const away = added.find(({ host }) => !members.some((other) => other.host === host && other.server));
    if (away) return failure(74, "NodeNotFound", `quorum check failed: ${away.host} did not respond`);
    changes.push(`replSetReconfig +${added.map(({ host }) => host).join()}`);
    spread(config, member);
    return { ok: 1 };
  }

  function status(member: Member): Document {
    const states = member.config!.members.map(({ host }) => {
      const other = members.find((one) => one.host === host);
      const state = primary() === other ? "PRIMARY" : other?.server ? "SECONDARY" : "(not reachable/healthy)";
      return { name: host, stateStr: state };
    });
    return { ok: 1, set: member.config!._id, members: states };
  }

  function writeUser(member: Member, name: string, command: Document): Document {
    const user = String(command[name]);
    if ((name === "createUser") === member.data.users.has(user))
      return failure(51_003, "Location51003", "exists");
    changes.push(`${name} ${user}`);
    member.data.users.set(user, { password: command.pwd, roles: command.roles });
    return { ok: 1 };
  }

  /** Commands that only the primary accepts. */
  function onPrimary(member: Member, name: string, command: Document): Document {
    if (member !== primary()) return failure(10_107, "NotWritablePrimary", "not primary");
    switch (name) {
      case "replSetReconfig":
        return reconfigure(member, command.replSetReconfig);
      case "createUser":
      case "updateUser":
        return writeUser(member, name, command);
      case "setDefaultRWConcern":
        changes.push("setDefaultRWConcern");
        member.data.defaultWriteConcern = command.defaultWriteConcern.w;
        return { ok: 1 };
      default:
        return failure(59, "CommandNotFound", `the fixture knows no ${name}`);
    }
  }

  function authenticate(member: Member, name: string, command: Document, connection: Connection): Document {
    const text = Buffer.from((command.payload as Binary).buffer).toString();
    const refused = failure(18, "AuthenticationFailed", "Authentication failed.");
    if (name === "saslStart") {
      if (command.mechanism !== "SCRAM-SHA-256") return refused;
      connection.scram = startScram(text, (user) => member.data.users.get(user)?.password);
      return { ok: 1, conversationId: 1, done: false, payload: payloadOf(connection.scram.serverFirst) };
    }
    const last = connection.scram?.finish(text);
    if (last === undefined) return refused;
    connection.user = connection.scram?.user;
    return { ok: 1, conversationId: 1, done: true, payload: payloadOf(last) };
  }

  function handle(member: Member, command: Document, connection: Connection): Document {
    const [name = ""] = Object.keys(command);
    if (!open.has(name) && connection.user === undefined)
      return failure(13, "Unauthorized", `${name} requires authentication`);
    switch (name) {
      case "hello":
      case "ismaster":
      case "isMaster":
        return {
          ...hello(member),
          ...(command.saslSupportedMechs && { saslSupportedMechs: ["SCRAM-SHA-256"] }),
        };
      case "saslStart":
      case "saslContinue":
        return authenticate(member, name, command, connection);
      case "ping":
      case "endSessions":
      case "connectionStatus":
        return { ok: 1 };
      case "replSetInitiate":
        return initiate(member, command.replSetInitiate);
      case "replSetGetConfig":
        return member.config
          ? { ok: 1, config: member.config }
          : failure(94, "NotYetInitialized", "no config");
      case "replSetGetStatus":
        return member.config ? status(member) : failure(94, "NotYetInitialized", "no config");
      case "getDefaultRWConcern": {
        const w = member.data.defaultWriteConcern;
        const defaultWriteConcernSource = w === undefined ? "implicit" : "global";
        return { ok: 1, defaultWriteConcern: { w: w ?? "majority" }, defaultWriteConcernSource };
      }
      case "usersInfo": {
        const found = member.data.users.get(command.usersInfo.user);
        return { ok: 1, users: found ? [{ user: command.usersInfo.user, roles: found.roles }] : [] };
      }
      default:
        return onPrimary(member, name, command);
    }
  }

  async function start(n: number, port: number): Promise<void> {
    const member = members[n]!;
    const answer = (command: Document, connection: Connection) => handle(member, command, connection);
    member.server = await startWireServer<Connection>(port, answer, () => ({
      user: undefined,
      scram: undefined,
    }));
    member.host = `127.0.0.1:${member.server.port}`;
  }

  async function stop(n: number): Promise<void> {
    const { server } = members[n]!;
    members[n]!.server = undefined;
    await server?.stop();
  }

  for (let n = 0; n < count; n += 1) {
    members.push({ host: "", server: undefined, data: emptyData(), config: undefined });
    await start(n, 0);
  }
  members[0]!.data.users.set(admin.name, {
    password: admin.password,
    roles: [{ role: "root", db: "admin" }],
  });

  return {
    hosts: members.map(({ host }) => host) as [string, ...string[]],
    changes,
    config: () => members[0]!.config,
    get data() {
      return members[0]!.data;
    },
    stop,
    start: (n) => start(n, Number(members[n]!.host.split(":")[1])),
    elect({ after }) {
      questionsUntilPrimary = after;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((_, n) => stop(n)));
    },
  };
}

function failure(code: number, codeName: string, errmsg: string): Document {
  return { ok: 0, code, codeName, errmsg };
}

function payloadOf(text: string): Binary {
  return new Binary(Buffer.from(text));
}
