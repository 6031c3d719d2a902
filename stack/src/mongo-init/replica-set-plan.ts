/** A user and its password. */
export type Login = { readonly name: string; readonly password: string };

/** A replica set as it is to be. */
export type ReplicaSetPlan = {
  readonly name: string;
  /** host:port of each server, as they and all clients call them; the first has the administrator. */
  readonly members: readonly [string, ...string[]];
  readonly admin: Login;
  /** The user that the mesh works as. */
  readonly application: Login;
  /** A user that may only read, for administrators' pages; none is made without. */
  readonly inspector?: Login;
  readonly database: string;
};

/** A role on a database. */
export type Role = { readonly role: string; readonly db: string };

/**
 * What the mesh's user may do, on its one database. `readWrite` is enough to read, write, create collections and
 * indexes; the operator also changes validators and the age at which readings expire (`collMod`), which only
 * `dbAdmin` allows. Neither allows anything with users or other databases.
 */
export function applicationRoles(database: string): readonly Role[] {
  return [
    { role: "readWrite", db: database },
    { role: "dbAdmin", db: database },
  ];
}

/** What a server says of itself to anybody. */
export type MemberState = {
  /** The set it is in; undefined for one that was not told yet. */
  readonly setName: string | undefined;
  /** It was started with --replSet. */
  readonly inReplicaSetMode: boolean;
};

/** The part of a set's configuration that is read here; the rest is carried along. */
export type SetConfig = {
  readonly _id: string;
  readonly version: number;
  readonly members: readonly { readonly _id: number; readonly host: string }[];
};

/** A member as the set sees it. */
export type MemberStatus = { readonly host: string; readonly state: string };

/**
 * Servers of MongoDB, asked by their own commands. Each rejects with WaitError where waiting may help (a server
 * that is away, an election), with SettingsError for a wrong password, else with what the server said.
 */
export type MongoServers = {
  /** Asks one server, without a password. */
  readState(member: string): Promise<MemberState>;
  /** Makes the set on one server; nothing happens if it has one. */
  initiate(member: string, config: SetConfig): Promise<void>;
  /** Asks the primary. */
  readConfig(): Promise<SetConfig>;
  readStatus(): Promise<readonly MemberStatus[]>;
  reconfigure(config: SetConfig): Promise<void>;
  /** The write concern of clients that ask for none; undefined if it is the server's own default. */
  readDefaultWriteConcern(): Promise<string | number | undefined>;
  writeDefaultWriteConcern(concern: "majority"): Promise<void>;
  /** The roles of a user; undefined if there is none. */
  readRoles(user: string): Promise<readonly Role[] | undefined>;
  createUser(login: Login, roles: readonly Role[]): Promise<void>;
  updateUser(login: Login, roles: readonly Role[]): Promise<void>;
  /** Whether a login with these credentials succeeds. */
  accepts(login: Login): Promise<boolean>;
};

/** Not yet; the reason is for people. */
export class WaitError extends Error {
  constructor(reason: string, options?: { readonly cause?: unknown }) {
    super(reason, options);
    this.name = "WaitError";
  }
}
