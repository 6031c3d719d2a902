import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import createIgnore from "@balena/dockerignore";

/** What Docker would send to a build: a folder less what its .dockerignore leaves out. */
export type BuildContext = {
  /** Whether a file gets in; relative to the folder, with slashes. */
  readonly includes: (path: string) => boolean;
  /**
   * Copies a file, or what is in a folder, into a target folder or (a file only) to a target file.
   * @throws Error if nothing of that name gets in.
   */
  copy(source: string, target: string, into: "folder" | "file"): void;
};

/** Opens the context of a folder. @throws Error if it has no .dockerignore: secrets might get in. */
export function openBuildContext(folder: string): BuildContext {
  const ignore = createIgnore.default().add(readFileSync(join(folder, ".dockerignore"), "utf8"));
  const includes = (path: string): boolean => !ignore.ignores(path);

  const filesOf = (path: string): string[] =>
    lstatSync(join(folder, path)).isDirectory()
      ? readdirSync(join(folder, path))
          .filter((name) => name !== "node_modules")
          .flatMap((name) => filesOf(posix.join(path, name)))
      : [path];

  return {
    includes,
    copy(given, target, into) {
      const source = posix.normalize(given).replace(/\/$/, "");
      const isFolder = statSync(join(folder, source), { throwIfNoEntry: false })?.isDirectory();
      const files = isFolder === undefined ? [] : filesOf(source).filter(includes);
      if (files.length === 0) throw new Error(`COPY ${given}: it is not in the build context`);
      for (const file of files) {
        const inside = isFolder ? posix.relative(source, file) : into === "folder" ? basename(file) : "";
        const to = join(target, inside);
        mkdirSync(dirname(to), { recursive: true });
        copyFileSync(join(folder, file), to);
        chmodSync(to, lstatSync(join(folder, file)).mode);
      }
    },
  };
}
