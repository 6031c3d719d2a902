/** A user and its password. */
export type Login = { readonly name: string; readonly password: string };

/** The desired replica set. */
export type ReplicaSetPlan = {
  readonly name: string;
  /** host:port of each server, in the form that servers and clients use; the first has the administrator. */
  readonly members: readonly [string, ...string[]];
  readonly admin: Login;
  /** The user of the mesh. */
  readonly application: Login;
  /** A read-only user for administrators' pages; none if left out. */
  readonly inspector?: Login;
  readonly database: string;
};

/** A role on a database. */
export type Role = { readonly role: string; readonly db: string };

/**
 * The rights of the mesh's user, on its one database. `readWrite` is enough to read, write, create collections and
 * indexes; the operator also changes validators and the age at which readings expire (`collMod`), which requires
 * `dbAdmin`. Neither grants rights on users or other databases.
 */
export function applicationRoles(database: string): readonly Role[] {
  return [
    { role: "readWrite", db: database },
    { role: "dbAdmin", db: database },
  ];
}

/** The state that a server reports without authentication. */
export type MemberState = {
  /** The name of its set; undefined if it is in none. */
  readonly setName: string | undefined;
  /** Whether it was started with --replSet. */
  readonly inReplicaSetMode: boolean;
};

/** The part of a set's configuration that is read here; the rest is preserved. */
export type SetConfig = {
  readonly _id: string;
  readonly version: number;
  readonly members: readonly { readonly _id: number; readonly host: string }[];
};

/** A member in the set's status. */
export type MemberStatus = { readonly host: string; readonly state: string };

/**
 * Requests to servers of MongoDB. Each rejects with WaitError if waiting may help (an unavailable server, an election),
 * with SettingsError for a wrong password, otherwise with the server's error.
 */
export type MongoServers = {
  /** Returns the state of one server, without a password. */
  readState(member: string): Promise<MemberState>;
  /** Initiates the set on one server; has no effect if it has one. */
  initiate(member: string, config: SetConfig): Promise<void>;
  /** Returns the configuration, from the primary. */
  readConfig(): Promise<SetConfig>;
  readStatus(): Promise<readonly MemberStatus[]>;
  reconfigure(config: SetConfig): Promise<void>;
  /** Returns the default write concern of clients; undefined if it is the server's own default. */
  readDefaultWriteConcern(): Promise<string | number | undefined>;
  writeDefaultWriteConcern(concern: "majority"): Promise<void>;
  /** Returns the roles of a user; undefined if it does not exist. */
  readRoles(user: string): Promise<readonly Role[] | undefined>;
  createUser(login: Login, roles: readonly Role[]): Promise<void>;
  updateUser(login: Login, roles: readonly Role[]): Promise<void>;
  /** Whether a login with these credentials succeeds. */
  accepts(login: Login): Promise<boolean>;
};

/** Not possible yet; the reason is for users. */
export class WaitError extends Error {
  constructor(reason: string, options?: { readonly cause?: unknown }) {
    super(reason, options);
    this.name = "WaitError";
  }
}
