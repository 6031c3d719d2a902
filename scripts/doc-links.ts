// Checks that documents are true about the tree: every relative link has its target, every anchor its heading, and
// every file that is named in code style exists. `npm run check` runs it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceFile } from "./tidy.ts";
import { writtenFiles } from "./tidy.ts";

/** Files of other programs that documents name. */
const foreignFiles = new Set(["kafka-reassign-partitions.sh"]);

/** Returns the anchors of the headings of a document, as GitHub makes them. */
export function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns what documents name and the tree does not have, as `path: "link" …`. `paths` are all files of the tree. */
export function brokenReferences(documents: readonly SourceFile[], paths: readonly string[]): string[] {
  const textOf = new Map(documents.map(({ path, text }) => [path, text]));
  const folders = new Set(paths.flatMap(foldersOf));
  const names = new Set(paths.map((path) => posix.basename(path)));

  function brokenLink(document: string, link: string): string | undefined {
    const [target = "", anchor] = link.split("#");
    const path = target === "" ? document : posix.join(posix.dirname(document), target).replace(/\/$/, "");
    if (!paths.includes(path) && !folders.has(path)) return `"${link}" links to nothing`;
    if (anchor === undefined) return undefined;
    const text = textOf.get(path) ?? textOf.get(posix.join(path, "README.md"));
    return text !== undefined && anchorsOf(text).includes(anchor) ? undefined : `"${link}" names no heading`;
  }
  const isKnown = (document: string, file: string): boolean => {
    if (!file.includes("/")) return names.has(file) || foreignFiles.has(file);
    const beside = posix.join(posix.dirname(document), file);
    return paths.some((path) => path === beside || path === file || path.endsWith(`/${file}`));
  };
  return documents.flatMap(({ path, text }) => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = ""]) =>
      brokenLink(path, link),
    );
    const files = [...text.matchAll(/`([\w./-]+\.(?:tsx?|mjs|ya?ml|proto|sh))`/g)]
      .map(([, file = ""]) => file)
      .filter((file) => !isKnown(path, file))
      .map((file) => `"${file}" does not exist`);
    return [...links, ...files].flatMap((problem) => (problem === undefined ? [] : [`${path}: ${problem}`]));
  });
}

function foldersOf(path: string): readonly string[] {
  const folder = posix.dirname(path);
  return folder === "." ? ["."] : [folder, ...foldersOf(folder)];
}

/** Returns the broken references of all documents that are written by hand. */
export function brokenDocuments(): string[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  const paths = list.split("\n").filter((path) => path !== "" && existsSync(posix.join(root, path)));
  return brokenReferences(
    writtenFiles().filter(({ path }) => path.endsWith(".md")),
    paths,
  );
}

if (import.meta.main) {
  const broken = brokenDocuments();
  if (broken.length > 0) {
    console.error(broken.join("\n"));
    process.exit(1);
  }
}
