import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import type { ReplicaSetPlan } from "./replica-set-plan.ts";

/** The settings of the job that sets up MongoDB's replica set. */
export const mongoInitSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node stack/src/mongo-init/main.ts [flags]",
  summary:
    "Makes a replica set of MongoDB servers and the user that the mesh works as, then ends. What is there already " +
    "stays; run it again after any change. Ends with 0 when all is done, 1 if it could not be, 2 if a setting or a " +
    "password is wrong.",
  settings: {
    members: {
      flag: "--members",
      env: "DEVICEMESH_MONGODB_MEMBERS",
      kind: "string",
      default: "mongo-1:27017,mongo-2:27017,mongo-3:27017",
      placeholder: "HOST:PORT,…",
      description:
        "The servers, as they and all clients call them; the first is the one that has the administrator.",
    },
    replicaSet: {
      flag: "--replica-set",
      env: "DEVICEMESH_MONGODB_REPLICA_SET",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Name of the set; the servers are started with it (--replSet).",
    },
    adminUser: {
      flag: "--admin-user",
      env: "DEVICEMESH_MONGODB_ADMIN_USER",
      kind: "string",
      default: "admin",
      placeholder: "NAME",
      description: "Administrator that the first server was made with.",
    },
    adminPassword: {
      flag: "--admin-password",
      env: "DEVICEMESH_MONGODB_ADMIN_PASSWORD",
      kind: "string",
      placeholder: "TEXT",
      description:
        "The administrator's password; better as a file, by DEVICEMESH_MONGODB_ADMIN_PASSWORD_FILE.",
    },
    applicationUser: {
      flag: "--application-user",
      env: "DEVICEMESH_MONGODB_APPLICATION_USER",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "User that the mesh works as; it is made, or changed to what is said here.",
    },
    applicationPassword: {
      flag: "--application-password",
      env: "DEVICEMESH_MONGODB_APPLICATION_PASSWORD",
      kind: "string",
      placeholder: "TEXT",
      description: "That user's password; better as a file, by DEVICEMESH_MONGODB_APPLICATION_PASSWORD_FILE.",
    },
    inspectorPassword: {
      flag: "--inspector-password",
      env: "DEVICEMESH_MONGODB_INSPECTOR_PASSWORD",
      kind: "string",
      placeholder: "TEXT",
      description:
        "Password of the user `inspector`, which may only read; without it the user is not made. Better as a file, by DEVICEMESH_MONGODB_INSPECTOR_PASSWORD_FILE.",
    },
    database: {
      flag: "--database",
      env: "DEVICEMESH_MONGODB_DATABASE",
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Database of the mesh: the only one that this user may touch.",
    },
    timeout: {
      flag: "--timeout",
      env: "DEVICEMESH_MONGODB_INIT_TIMEOUT",
      kind: "duration",
      default: "5m",
      minimum: "1s",
      description: "How long to wait for servers and a primary in all.",
    },
  },
});

/**
 * Returns the plan of the settings.
 * @throws SettingsError if a password is missing, or the list of servers is not one.
 */
export function planOf(config: SettingsOf<typeof mongoInitSettings>): ReplicaSetPlan {
  const { adminPassword, applicationPassword, inspectorPassword } = config;
  const members = config.members.split(",").map((member) => member.trim());
  const wrong = members.find((member) => !/^[^\s:/@]+:\d{1,5}$/.test(member));
  if (wrong !== undefined) throw new SettingsError(`--members: ${JSON.stringify(wrong)} is not HOST:PORT`);
  if (new Set(members).size < members.length) throw new SettingsError("--members: a server is there twice");
  return {
    name: config.replicaSet,
    members: members as [string, ...string[]],
    admin: {
      name: config.adminUser,
      password: required(adminPassword, mongoInitSettings.settings.adminPassword),
    },
    application: {
      name: config.applicationUser,
      password: required(applicationPassword, mongoInitSettings.settings.applicationPassword),
    },
    ...(inspectorPassword === undefined
      ? {}
      : { inspector: { name: "inspector", password: inspectorPassword } }),
    database: config.database,
  };
}

function required(
  value: string | undefined,
  setting: { readonly flag: string; readonly env: string },
): string {
  if (value !== undefined) return value;
  throw new SettingsError(
    `${setting.flag} is missing: give it, or the file that holds it by ${setting.env}_FILE`,
  );
}
