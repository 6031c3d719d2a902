// Rules about the whole tree: the location of test support, the size of folders, the imports between workspaces, the
// layout of programs, the length of files. The rules about single files are in tidy.ts.
import { posix } from "node:path";
import type { SourceFile } from "./tidy.ts";

/** Folders that only tests, benchmarks and checks use: they are not part of the product. */
const supportWorkspaces = new Set(["e2e", "bench", "scripts", "examples"]);
/** The largest number of lines of a written file. */
export const linesMax = 300;
const productFilesMax = 15;
const medianLinesMax = 110;
const mainLinesMax = 15;
/** The files of every program's `src/`. */
const skeleton = ["settings.ts", "limits.ts", "start.ts", "main.ts"];

const workspaceOf = (path: string): string => path.split("/")[0] ?? "";
const lineCount = ({ text }: SourceFile): number => text.split("\n").length - 1;

/** Whether a file is part of the product. */
export function isProduct({ path }: SourceFile): boolean {
  return (
    /^[a-z0-9-]+\/src\/.*\.tsx?$/.test(path) &&
    !/\.test\.tsx?$/.test(path) &&
    !supportWorkspaces.has(workspaceOf(path))
  );
}

/** Returns the imports of a file, as paths of the tree or as `@devicemesh/...`. */
function importsOf({ path, text }: SourceFile): readonly string[] {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g)].map(
    ([, name]) => name ?? "",
  );
  return specifiers.map((name) =>
    name.startsWith(".") ? posix.normalize(posix.join(posix.dirname(path), name)) : name,
  );
}

/** Product files that import test support. */
export function importersOfTestSupport(files: readonly SourceFile[]): string[] {
  return files
    .filter(isProduct)
    .filter((file) =>
      importsOf(file).some((name) => /^@devicemesh\/[a-z0-9-]+\/testing\/|^[a-z0-9-]+\/testing\//.test(name)),
    )
    .map(({ path }) => `${path}: a product file imports no test support (testing/)`);
}

/** Folders with too many product files. */
export function fullFolders(files: readonly SourceFile[]): string[] {
  const folders = Map.groupBy(files.filter(isProduct), ({ path }) => posix.dirname(path));
  return [...folders]
    .filter(([, inside]) => inside.length > productFilesMax)
    .map(
      ([folder, { length }]) =>
        `${folder}: ${length} product files; at most ${productFilesMax} in one folder`,
    );
}

/** Returns the workspaces that each one imports, including tests and relative imports. */
function workspaceImports(files: readonly SourceFile[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const workspaces = new Set(
    files.filter(({ path }) => /^[a-z0-9-]+\/package\.json$/.test(path)).map((f) => workspaceOf(f.path)),
  );
  for (const file of files) {
    const own = workspaceOf(file.path);
    if (!workspaces.has(own) || !/\.tsx?$/.test(file.path)) continue;
    for (const name of importsOf(file)) {
      const other =
        /^@devicemesh\/([a-z0-9-]+)/.exec(name)?.[1] ?? (name.startsWith("@") ? "" : workspaceOf(name));
      if (other !== own && workspaces.has(other)) found.set(own, (found.get(own) ?? new Set()).add(other));
    }
  }
  return found;
}

/** Returns a cycle of workspaces, as `a → b → a`, if there is one. */
export function workspaceCycle(files: readonly SourceFile[]): string | undefined {
  const imports = workspaceImports(files);
  const done = new Set<string>();
  function visit(workspace: string, path: readonly string[]): string | undefined {
    if (path.includes(workspace)) return [...path.slice(path.indexOf(workspace)), workspace].join(" → ");
    if (done.has(workspace)) return undefined;
    for (const next of imports.get(workspace) ?? []) {
      const cycle = visit(next, [...path, workspace]);
      if (cycle !== undefined) return cycle;
    }
    done.add(workspace);
    return undefined;
  }
  for (const workspace of imports.keys()) {
    const cycle = visit(workspace, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Programs whose `src/` lacks one of the four files, and entry points that are too long. */
export function brokenSkeletons(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return programsOf(files).flatMap((file) => {
    const missing = skeleton.filter((name) => !paths.has(`${workspaceOf(file.path)}/src/${name}`));
    return [
      ...missing.map((name) => `${workspaceOf(file.path)}/src: a program has ${name}`),
      ...(lineCount(file) > mainLinesMax ? [`${file.path}: main.ts has at most ${mainLinesMax} lines`] : []),
    ];
  });
}

/** Returns the entry points of the programs. */
function programsOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter((file) => isProduct(file) && /^[a-z0-9-]+\/src\/main\.ts$/.test(file.path));
}

/** Workspaces without a README, or whose README does not begin with a title and a sentence. */
export function missingReadmes(files: readonly SourceFile[]): string[] {
  const readmes = new Map(files.map(({ path, text }) => [path, text]));
  return files
    .filter(({ path }) => /^[a-z0-9-]+\/package\.json$/.test(path))
    .map(({ path }) => `${workspaceOf(path)}/README.md`)
    .filter((path) => !/^# .+\n+[A-Z`].*[.:]/.test(readmes.get(path) ?? ""))
    .map((path) => `${path}: a workspace has a README whose first sentence states its purpose`);
}

/** The figures of the tree. */
export type TreeFigures = {
  readonly productFiles: number;
  readonly productLines: number;
  readonly medianLines: number;
  readonly longest: number;
  readonly fullestFolder: number;
  /** Number of workspaces, and whether their imports, relative ones included, form a cycle. */
  readonly workspaces: number;
  readonly hasCycle: boolean;
  /** Number of programs, and of those that lack one of the four files. */
  readonly programs: number;
  readonly brokenPrograms: number;
  /** Number of product files, barrels included, that import or export test support. */
  readonly importersOfTestSupport: number;
};

/** Counts the product files of the tree. */
export function treeFigures(files: readonly SourceFile[]): TreeFigures {
  const product = files.filter(isProduct);
  const lines = product.map(lineCount).sort((a, b) => a - b);
  const folders = Map.groupBy(product, ({ path }) => posix.dirname(path));
  return {
    productFiles: product.length,
    productLines: lines.reduce((sum, each) => sum + each, 0),
    medianLines: lines[Math.floor(lines.length / 2)] ?? 0,
    longest: lines.at(-1) ?? 0,
    fullestFolder: Math.max(0, ...[...folders.values()].map(({ length }) => length)),
    workspaces: files.filter(({ path }) => /^[a-z0-9-]+\/package\.json$/.test(path)).length,
    hasCycle: workspaceCycle(files) !== undefined,
    programs: programsOf(files).length,
    brokenPrograms: new Set(brokenSkeletons(files).map(workspaceOf)).size,
    importersOfTestSupport: importersOfTestSupport(files).length,
  };
}

/** Returns the figures in two lines, with their limits. */
export function figuresText(figures: TreeFigures): string {
  const { productFiles, productLines, medianLines, longest, fullestFolder } = figures;
  return [
    `${productFiles} product files, ${productLines} lines: median ${medianLines} (at most ${medianLinesMax}), longest ${longest} (at most ${linesMax}), fullest folder ${fullestFolder} files (at most ${productFilesMax})`,
    `${figures.importersOfTestSupport} product files import or export test support, ${figures.hasCycle ? "a cycle" : "no cycle"} between ${figures.workspaces} workspaces, ${figures.programs - figures.brokenPrograms} of ${figures.programs} programs have ${skeleton.join(", ")}`,
  ].join("\n");
}

/** Returns every broken rule about the tree, one on each line. */
export function brokenTreeRules(files: readonly SourceFile[]): string[] {
  const { medianLines } = treeFigures(files);
  const cycle = workspaceCycle(files);
  return [
    ...importersOfTestSupport(files),
    ...fullFolders(files),
    ...brokenSkeletons(files),
    ...missingReadmes(files),
    ...(cycle === undefined ? [] : [`workspaces import each other in a cycle: ${cycle}`]),
    ...(medianLines > medianLinesMax
      ? [`the median product file has ${medianLines} lines; at most ${medianLinesMax}`]
      : []),
  ];
}
