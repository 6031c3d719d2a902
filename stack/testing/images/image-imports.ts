import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

type Exports = Readonly<Record<string, string>>;

/**
 * Returns the unresolved imports in the TypeScript of a folder of workspaces, as "file: import". Type imports do not
 * count, because nothing of them remains at run time.
 */
export function brokenImports(folder: string): string[] {
  const workspaces = readdirSync(folder).filter((name) => existsSync(join(folder, name, "package.json")));
  const exportsOf = new Map(workspaces.map((name) => [name, readExports(join(folder, name))]));
  return workspaces.flatMap((workspace) =>
    readdirSync(join(folder, workspace), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => {
        const file = join(folder, workspace, name);
        return importsOf(readFileSync(file, "utf8"))
          .filter((specifier) => !leadsSomewhere(specifier, file, folder, exportsOf))
          .map((specifier) => `${workspace}/${name}: ${specifier}`);
      }),
  );
}

function readExports(workspace: string): Exports {
  const { exports = {} } = JSON.parse(readFileSync(join(workspace, "package.json"), "utf8")) as {
    readonly exports?: Exports;
  };
  return exports;
}

function importsOf(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\s(?!type\b)(?:[^;"']*?\sfrom\s+)?["']([^"']+)["'];/gm);
  const calls = text.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...statements, ...calls].map(([, specifier]) => specifier!);
}

function leadsSomewhere(
  specifier: string,
  file: string,
  folder: string,
  exportsOf: ReadonlyMap<string, Exports>,
): boolean {
  if (specifier.startsWith("node:")) return true;
  if (specifier.startsWith(".")) return existsSync(resolve(dirname(file), specifier));
  const ours = /^@devicemesh\/([a-z0-9]+)(.*)$/.exec(specifier);
  if (ours) {
    const target = exportTarget(exportsOf.get(ours[1]!) ?? {}, `.${ours[2]}`);
    return target !== undefined && existsSync(join(folder, ours[1]!, target));
  }
  try {
    const found = createRequire(file).resolve(specifier);
    return found.startsWith(`${folder}/`);
  } catch {
    return false;
  }
}

function exportTarget(exports: Exports, wanted: string): string | undefined {
  for (const [name, target] of Object.entries(exports)) {
    const [before = "", after] = name.split("*");
    if (after === undefined ? name === wanted : wanted.startsWith(before)) {
      return target.replace("*", wanted.slice(before.length));
    }
  }
  return undefined;
}
