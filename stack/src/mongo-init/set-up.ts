import { type Patience, waitFor } from "./patience.ts";
import {
  applicationRoles,
  type Login,
  type MongoServers,
  type ReplicaSetPlan,
  type Role,
  type SetConfig,
  WaitError,
} from "./replica-set-plan.ts";

/** The dependencies of the job. */
export type SetUpDependencies = {
  readonly servers: MongoServers;
  readonly patience: Patience;
  /** Prints a step, as one line. */
  report(line: string): void;
};

/**
 * Initiates the replica set and creates the mesh's user, and keeps what exists. Adds missing servers; additional
 * servers stay.
 * @throws SettingsError for a wrong password or the name of another set; Error at the time limit.
 */
export async function setUpReplicaSet(plan: ReplicaSetPlan, dependencies: SetUpDependencies): Promise<void> {
  await makeSet(plan, dependencies);
  await untilMajority(dependencies);
  await addMembers(plan, dependencies);
  await requireMajorityWrites(dependencies);
  const { application, inspector, database } = plan;
  await makeUser(application, applicationRoles(database), database, dependencies);
  if (inspector) await makeUser(inspector, [{ role: "read", db: database }], database, dependencies);
  dependencies.report(`done: replica set ${plan.name} is ready for ${plan.application.name}`);
}

async function makeSet(
  plan: ReplicaSetPlan,
  { servers, patience, report }: SetUpDependencies,
): Promise<void> {
  const { name, members } = plan;
  const states = await Promise.all(
    members.map(async (member) => {
      const state = await waitFor(patience, member, () => servers.readState(member));
      if (state.setName !== undefined && state.setName !== name) {
        throw new Error(`${member} is in the replica set ${state.setName}, not ${name}: check --replica-set`);
      }
      if (!state.inReplicaSetMode) {
        throw new Error(`${member} is no member of a replica set: start it with --replSet ${name}`);
      }
      report(`${member} answers${state.setName === undefined ? "" : `, in replica set ${name}`}`);
      return state;
    }),
  );
  if (states.some(({ setName }) => setName !== undefined)) {
    report(`replica set ${name} is there`);
    return;
  }
  const config = { _id: name, version: 1, members: members.map((host, _id) => ({ _id, host })) };
  await waitFor(patience, `replica set ${name}`, () => servers.initiate(members[0], config));
  report(`replica set ${name} is made, of ${members.join(", ")}`);
}

/** Resolves when there is a primary and more than half of the servers have the data. */
async function untilMajority({ servers, patience, report }: SetUpDependencies): Promise<void> {
  const status = await waitFor(patience, "the replica set", async () => {
    const found = await servers.readStatus();
    const ready = found.filter(({ state }) => state === "PRIMARY" || state === "SECONDARY");
    if (found.some(({ state }) => state === "PRIMARY") && ready.length * 2 > found.length) return found;
    throw new WaitError(`no majority yet: ${listed(found)}`);
  });
  report(`a majority is ready: ${listed(status)}`);
}

/** One at a time, as MongoDB requires: each configuration shares a majority with the previous one. */
async function addMembers(plan: ReplicaSetPlan, dependencies: SetUpDependencies): Promise<void> {
  const { servers, patience, report } = dependencies;
  const known = await waitFor(patience, "the configuration", servers.readConfig);
  const surplus = known.members.map(({ host }) => host).filter((host) => !plan.members.includes(host));
  for (const host of surplus) report(`${host} is in the set and not in --members: it stays`);
  for (const host of plan.members) {
    const added = await waitFor(patience, host, async () => {
      const config = await servers.readConfig();
      if (config.members.some((member) => member.host === host)) return false;
      await servers.reconfigure(withMember(config, host));
      return true;
    });
    if (!added) continue;
    report(`${host} is added to the set`);
    await untilMajority(dependencies);
  }
}

function withMember(config: SetConfig, host: string): SetConfig {
  const _id = Math.max(...config.members.map((member) => member._id)) + 1;
  return { ...config, version: config.version + 1, members: [...config.members, { _id, host }] };
}

/** The default for clients that set none: data before the frontier must survive the loss of a server. */
async function requireMajorityWrites({ servers, patience, report }: SetUpDependencies): Promise<void> {
  const found = await waitFor(patience, "the write concern", servers.readDefaultWriteConcern);
  if (found !== "majority") {
    await waitFor(patience, "the write concern", () => servers.writeDefaultWriteConcern("majority"));
  }
  report(`writes are acknowledged by a majority${found === "majority" ? "" : " from now on"}`);
}

async function makeUser(
  user: Login,
  roles: readonly Role[],
  database: string,
  { servers, patience, report }: SetUpDependencies,
): Promise<void> {
  const may = roles.map(({ role }) => role).join(" and ");
  const done = await waitFor(patience, `user ${user.name}`, async () => {
    const found = await servers.readRoles(user.name);
    if (found === undefined) {
      await servers.createUser(user, roles);
      return `is made, with ${may} on ${database}`;
    }
    if (sameRoles(found, roles) && (await servers.accepts(user))) {
      return `is there, with ${may} on ${database}`;
    }
    await servers.updateUser(user, roles);
    return `is changed: it has ${may} on ${database}, and the password given`;
  });
  report(`user ${user.name} ${done}`);
}

function sameRoles(some: readonly Role[], others: readonly Role[]): boolean {
  const names = (roles: readonly Role[]) => roles.map(({ role, db }) => `${db}.${role}`).sort();
  return names(some).join() === names(others).join();
}

function listed(members: readonly { readonly host: string; readonly state: string }[]): string {
  return members.map(({ host, state }) => `${host} ${state}`).join(", ");
}
