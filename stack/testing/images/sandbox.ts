import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type BaseImage, systemMounts } from "./base-images.ts";

/** A program in a root folder of its own, with the host's /usr and network. */
export type SandboxOptions = {
  readonly root: string;
  readonly base: BaseImage;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workFolder: string;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Host folders that are seen, and written to, inside. */
  readonly shared?: Readonly<Record<string, string>>;
  /** Host files that are seen inside, read only. */
  readonly given?: Readonly<Record<string, string>>;
  /** A root that nobody may write to; only /tmp and what is shared. */
  readonly readOnlyRoot?: boolean;
};

/** A program that runs. */
export type SandboxProcess = AsyncDisposable & {
  /** All that it has printed. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Its exit code once it has ended. */
  readonly ended: Promise<number | null>;
  readonly hasEnded: () => boolean;
  /** Asks process 1 inside to end, as `docker stop` does; resolves with the exit code. */
  stop(): Promise<number | null>;
};

/** Why nothing can be replayed on this host, with the remedy; undefined if it can be. */
export function sandboxProblem(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "images are replayed as root on Linux only";
  const tried = spawnSync("bwrap", ["--ro-bind", "/", "/", "true"], { encoding: "utf8" });
  if (tried.error) return "images are replayed with bubblewrap: apt-get install bubblewrap";
  return tried.status === 0 ? undefined : `bubblewrap does not work here: ${tried.stderr.trim()}`;
}

/** Starts a program as process 1 of a sandbox. */
export async function startInSandbox(options: SandboxOptions): Promise<SandboxProcess> {
  for (const inside of Object.keys({ ...options.shared, ...options.given })) {
    // Bubblewrap would make these for root alone.
    mkdirSync(join(options.root, dirname(inside)), { recursive: true });
  }
  const child = spawn("bwrap", [...sandboxArguments(options), "--info-fd", "3", "--", ...asUser(options)], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: {},
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  let over = false;
  const ended = (once(child, "close") as Promise<[number | null]>).then(([code]) => {
    over = true;
    return code;
  });
  const firstProcess = await firstProcessOf(child);
  return {
    output,
    ended,
    hasEnded: () => over,
    stop() {
      if (!over && firstProcess !== undefined) signal(firstProcess, "SIGTERM");
      return ended;
    },
    async [Symbol.asyncDispose]() {
      // With process 1 everything inside ends. Bubblewrap's own end would not end it once it is another user (so a
      // test run that is killed leaves it running).
      if (!over && firstProcess !== undefined) signal(firstProcess, "SIGKILL");
      await ended;
    },
  };
}

function signal(processId: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(processId, name);
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Runs a program to its end. */
export async function runInSandbox(
  options: SandboxOptions,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  await using running = await startInSandbox(options);
  const exitCode = await running.ended;
  return { exitCode, output: running.output.stdout + running.output.stderr };
}

function sandboxArguments(options: SandboxOptions): string[] {
  const { root, base, environment, workFolder, shared = {}, given = {}, readOnlyRoot = false } = options;
  return [
    ...["--unshare-pid", "--unshare-ipc", "--as-pid-1", "--die-with-parent", "--new-session"],
    ...["--bind", root, "/"],
    // What the host has installed for itself is not in the image.
    ...["--ro-bind", "/usr", "/usr", "--tmpfs", "/usr/local"],
    ...["--proc", "/proc", "--dev", "/dev"],
    ...(readOnlyRoot ? ["--perms", "1777", "--tmpfs", "/tmp"] : []),
    ...[...systemMounts(), ...base.mounts].flatMap(({ host, inside }) => ["--ro-bind", host, inside]),
    ...Object.entries(base.links).flatMap(([path, target]) => ["--symlink", target, path]),
    ...Object.entries(shared).flatMap(([inside, host]) => ["--bind", host, inside]),
    ...Object.entries(given).flatMap(([inside, host]) => ["--ro-bind", host, inside]),
    // Only now, for the places of what is mounted are made as Docker makes them.
    ...(readOnlyRoot ? ["--remount-ro", "/"] : []),
    "--clearenv",
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", workFolder],
  ];
}

/** Another user has no rights of root's left. */
function asUser({ user: { uid, gid }, command }: SandboxOptions): readonly string[] {
  return uid === 0
    ? command
    : [
        "/usr/bin/setpriv",
        `--reuid=${uid}`,
        `--regid=${gid}`,
        "--clear-groups",
        "--no-new-privs",
        ...command,
      ];
}

/** The host's id of the sandbox's process 1, or undefined if the sandbox could not be made. */
async function firstProcessOf(child: ChildProcess): Promise<number | undefined> {
  let text = "";
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    text += line;
    if (line.includes("}")) break;
  }
  return text === "" ? undefined : (JSON.parse(text) as { "child-pid": number })["child-pid"];
}
