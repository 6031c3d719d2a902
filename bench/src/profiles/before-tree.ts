import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A checkout of the product whose programs are profiled. */
export type ProfiledTree = {
  /** Absolute. */
  readonly root: string;
  /** The full hash of its commit. */
  readonly commit: string;
};

const run = promisify(execFile);

/** Returns the tree in which the bench runs. Its commit is "" outside of a repository. */
export async function currentTree(root: string): Promise<ProfiledTree> {
  return { root, commit: (await hashOf(root, "HEAD")) ?? "" };
}

/**
 * Returns a worktree of an earlier commit, in `folder`; one that is there is used again. It gets the files of `bench/src`
 * that the commit does not have, and the third-party packages of the current tree.
 * @throws Error if the repository has no such commit.
 */
export async function earlierTree(options: {
  readonly current: ProfiledTree;
  readonly commit: string;
  /** The parent folder of worktrees. */
  readonly folder: string;
}): Promise<ProfiledTree> {
  const { current, folder } = options;
  const commit = await hashOf(current.root, options.commit);
  if (commit === undefined) throw new Error(`the repository has no commit ${options.commit}`);
  const root = join(folder, commit.slice(0, 8));
  if (!existsSync(join(root, "package.json"))) {
    await rm(root, { recursive: true, force: true });
    // Git may still know a worktree there whose folder was removed.
    await run("git", ["worktree", "add", "--force", "--detach", root, commit], { cwd: current.root });
  }
  // Files of an earlier run may differ from those of the current tree.
  await run("git", ["clean", "--force", "-d", "--quiet", "bench/src"], { cwd: root });
  await cp(join(current.root, "bench/src"), join(root, "bench/src"), { recursive: true, force: false });
  await linkPackages(join(current.root, "node_modules"), root);
  return { root, commit };
}

/** Links third-party packages to those of the current tree, and the workspaces to the folders of the worktree. */
async function linkPackages(packages: string, root: string): Promise<void> {
  const own = join(root, "node_modules");
  await rm(own, { recursive: true, force: true });
  await mkdir(join(own, "@devicemesh"), { recursive: true });
  for (const name of await readdir(packages)) {
    if (name !== "@devicemesh") await symlink(join(packages, name), join(own, name));
  }
  for (const folder of await readdir(root)) {
    const file = join(root, folder, "package.json");
    if (!existsSync(file)) continue;
    const { name } = JSON.parse(await readFile(file, "utf8")) as { readonly name: string };
    await symlink(join(root, folder), join(own, name));
  }
}

/** Returns the full hash of a commit; undefined if the repository does not have it, or if there is no repository. */
export async function hashOf(root: string, commit: string): Promise<string | undefined> {
  try {
    const { stdout } = await run("git", ["rev-parse", "--verify", `${commit}^{commit}`], { cwd: root });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
