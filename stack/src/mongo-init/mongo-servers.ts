import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import {
  type Document,
  MongoClient,
  type MongoClientOptions,
  type MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import {
  type Login,
  type MongoServers,
  type ReplicaSetPlan,
  type Role,
  type SetConfig,
  WaitError,
} from "./replica-set-plan.ts";
import { mongoInitSettings } from "./settings.ts";

// MongoDB's error codes, by MongoDB's names.
const authenticationFailed = 18;
const alreadyInitialized = 23;

/**
 * Temporary errors: a server that is starting or does not know its set yet, an election, a server that another cannot
 * reach yet, a configuration that is being distributed, a user that another job has created meanwhile.
 */
const passing: Readonly<Record<number, string>> = {
  74: "NodeNotFound",
  91: "ShutdownInProgress",
  94: "NotYetInitialized",
  103: "NewReplicaSetConfigurationIncompatible",
  109: "ConfigurationInProgress",
  189: "PrimarySteppedDown",
  308: "CurrentConfigNotCommittedYet",
  10107: "NotWritablePrimary",
  11600: "InterruptedAtShutdown",
  11602: "InterruptedDueToReplStateChange",
  13435: "NotPrimaryNoSecondaryOk",
  13436: "NotPrimaryOrSecondary",
  51003: "the user exists already",
};

/**
 * The servers of a plan, by MongoDB's driver. Each request uses a separate connection, because the job is short. A
 * request to a server that is not found or does not answer within `answerMs` must be retried. Within that time the driver
 * checks every `recheckMs` whether there is a primary.
 */
export function createMongoServers(
  plan: Pick<ReplicaSetPlan, "name" | "members" | "admin">,
  answerMs = 3000,
  recheckMs = 500,
): MongoServers {
  const connected = connector(answerMs, recheckMs);
  const { admin } = plan;
  const adminOn = <Result>(member: string, use: (client: MongoClient) => Promise<Result>) =>
    connected([member], { directConnection: true, auth: authOf(admin) }, use);
  const asAdmin = (command: Document): Promise<Document> =>
    connected(plan.members, { replicaSet: plan.name, auth: authOf(admin) }, (client) =>
      client.db("admin").command(command),
    );

  return {
    async readState(member) {
      const hello = await connected([member], { directConnection: true }, (client) =>
        client.db("admin").command({ hello: 1 }),
      );
      return {
        setName: typeof hello.setName === "string" ? hello.setName : undefined,
        inReplicaSetMode: hello.setName !== undefined || hello.isreplicaset === true,
      };
    },
    async initiate(member, config) {
      try {
        await adminOn(member, (client) => client.db("admin").command({ replSetInitiate: config }));
      } catch (error) {
        if (codeOf(error) !== alreadyInitialized) throw error;
      }
    },
    async readConfig() {
      return (await asAdmin({ replSetGetConfig: 1 })).config as SetConfig;
    },
    async readStatus() {
      const { members } = await asAdmin({ replSetGetStatus: 1 });
      return (members as { name: string; stateStr: string }[]).map(({ name, stateStr }) => ({
        host: name,
        state: stateStr,
      }));
    },
    async reconfigure(config) {
      await asAdmin({ replSetReconfig: config });
    },
    async readDefaultWriteConcern() {
      const found = await asAdmin({ getDefaultRWConcern: 1 });
      return found.defaultWriteConcernSource === "global" ? found.defaultWriteConcern?.w : undefined;
    },
    async writeDefaultWriteConcern(w) {
      await asAdmin({ setDefaultRWConcern: 1, defaultWriteConcern: { w }, writeConcern: { w } });
    },
    async readRoles(user) {
      const [found] = (await asAdmin({ usersInfo: { user, db: "admin" } })).users as { roles: Role[] }[];
      return found?.roles;
    },
    async createUser({ name, password }, roles) {
      await asAdmin({ createUser: name, pwd: password, roles, writeConcern: { w: "majority" } });
    },
    async updateUser({ name, password }, roles) {
      await asAdmin({ updateUser: name, pwd: password, roles, writeConcern: { w: "majority" } });
    },
    async accepts(login) {
      const options = { replicaSet: plan.name, auth: authOf(login) };
      try {
        await connected(plan.members, options, (client) =>
          client.db("admin").command({ connectionStatus: 1 }),
        );
        return true;
      } catch (error) {
        if (error instanceof SettingsError) return false;
        throw error;
      }
    },
  };
}

function authOf({ name, password }: Login): NonNullable<MongoClientOptions["auth"]> {
  return { username: name, password };
}

/** Connects for one request. */
function connector(answerMs: number, recheckMs: number) {
  return async <Result>(
    hosts: readonly string[],
    options: MongoClientOptions,
    use: (client: MongoClient) => Promise<Result>,
  ): Promise<Result> => {
    const client = new MongoClient(`mongodb://${hosts.join(",")}/`, {
      appName: "mongo-init",
      ...(options.auth && { authSource: "admin" }),
      serverSelectionTimeoutMS: answerMs,
      connectTimeoutMS: answerMs,
      minHeartbeatFrequencyMS: recheckMs,
      ...options,
    });
    try {
      return await use(client);
    } catch (error) {
      throw translated(error, options.auth?.username);
    } finally {
      await client.close();
    }
  };
}

function translated(error: unknown, user: string | undefined): unknown {
  const code = codeOf(error);
  if (code === authenticationFailed) {
    const { flag, env } = mongoInitSettings.settings.adminPassword;
    return new SettingsError(
      `MongoDB does not let ${user} in: check ${flag} (${env}_FILE), and that the first of --members was made with it`,
      { cause: error },
    );
  }
  const waits =
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    Object.hasOwn(passing, String(code));
  return waits ? new WaitError((error as MongoError).message, { cause: error }) : error;
}

function codeOf(error: unknown): unknown {
  return error instanceof MongoServerError ? error.code : undefined;
}
