import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";

/** The script under test. */
export const script = fileURLToPath(new URL("../../mongo-init/mongo-init.js", import.meta.url));

type Command = Readonly<Record<string, unknown>>;
type SetConfig = { readonly version: number; readonly members: readonly { _id: number; host: string }[] };

/** The servers that the script connects to: one set at most, whose first member is the primary. */
export type FakeServers = {
  /** Runs the script against them, instead of mongosh; time passes only while it sleeps. */
  run(env?: Readonly<Record<string, string>>): { readonly code: number; readonly lines: readonly string[] };
  /** The commands that changed something, in order. */
  readonly commands: readonly Command[];
  /** How often a server is unavailable before it answers. */
  readonly unavailable: Map<string, number>;
  /** Changes the answers of a server's `hello`. */
  readonly hello: Map<string, Command>;
};

const failure = (name: string, message: string, codeName?: string): Error =>
  Object.assign(new Error(message), { name, codeName });

/** Creates servers without data; the first one has the administrator. */
export function createFakeServers(
  hosts: readonly string[],
  admin: { readonly password: string },
): FakeServers {
  const commands: Command[] = [];
  const unavailable = new Map<string, number>();
  const hello = new Map<string, Command>();
  const users = new Set<string>();
  let config: SetConfig | undefined;

  function answer(host: string, command: Command): unknown {
    const [name] = Object.keys(command);
    if (name === "hello") {
      const isMember = config?.members.some((member) => member.host === host);
      return { isreplicaset: true, ...(isMember && { setName: "devicemesh" }), ...hello.get(host) };
    }
    if (name === "replSetInitiate") {
      config = command.replSetInitiate as SetConfig;
      commands.push(command);
      return { ok: 1 };
    }
    if (config === undefined) throw failure("MongoServerError", "no config", "NotYetInitialized");
    switch (name) {
      case "replSetGetStatus":
        return {
          members: config.members.map(({ host: member }, place) => ({
            name: member,
            stateStr: place === 0 ? "PRIMARY" : "SECONDARY",
          })),
        };
      case "replSetGetConfig":
        return { config };
      case "usersInfo":
        return { users: users.has((command.usersInfo as { user: string }).user) ? [{}] : [] };
      case "replSetReconfig":
        config = command.replSetReconfig as SetConfig;
        break;
      case "createUser":
        users.add(String(command.createUser));
        break;
    }
    commands.push(command);
    return { ok: 1 };
  }

  /** Instead of mongosh's: connects, and rejects a wrong password. */
  function connect(url: string) {
    const { login, first } = /^mongodb:\/\/(?:(?<login>[^@]+)@)?(?<first>[^,/]+)/.exec(url)!.groups!;
    const left = unavailable.get(first!) ?? 0;
    unavailable.set(first!, left - 1);
    if (left > 0) throw failure("MongoServerSelectionError", `connect ECONNREFUSED ${first}`);
    if (login !== undefined && decodeURIComponent(login) !== `admin:${admin.password}`) {
      throw Object.assign(failure("MongoServerError", "Authentication failed."), { code: 18 });
    }
    return {
      adminCommand(command: Command) {
        if (!("hello" in command) && login === undefined) throw failure("MongoServerError", "unauthorized");
        return answer(first!, command);
      },
    };
  }

  return {
    commands,
    unavailable,
    hello,
    run(env = {}) {
      const lines: string[] = [];
      let [nowMs, code] = [0, 0];
      runInNewContext(readFileSync(script, "utf8"), {
        connect,
        require: createRequire(import.meta.url),
        process: { env: { ...settings(hosts, admin.password), ...env } },
        Date: { now: () => nowMs },
        print: (line: string) => void lines.push(line),
        sleep: (ms: number) => {
          nowMs += ms;
        },
        quit: (given: number) => {
          code = given;
        },
      });
      return { code, lines };
    },
  };
}

function settings(hosts: readonly string[], password: string): Record<string, string> {
  return {
    DEVICEMESH_MONGODB_MEMBERS: hosts.join(","),
    DEVICEMESH_MONGODB_ADMIN_PASSWORD: password,
    DEVICEMESH_MONGODB_APPLICATION_PASSWORD: "application",
  };
}
