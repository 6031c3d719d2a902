import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ReplayedImage, type ReplayHost, replayImage } from "./replay-image.ts";
import { sandboxProblem } from "./sandbox.ts";

/** For tests: the root of this checkout. */
export const checkout = fileURLToPath(new URL("../../..", import.meta.url));

/** For tests: why images cannot be replayed here, once said; a test that needs it is skipped. */
export const replayProblem = sandboxProblem();
if (replayProblem !== undefined)
  process.stdout.write(`\nTESTS OF THE IMAGES ARE SKIPPED: ${replayProblem}\n`);

/** What a RUN may know of the host's network; npm's own settings come through the scripts of package.json. */
const passedOn = /^((https?|no)_proxy|node_extra_ca_certs|npm_config_(registry|cafile)|maven_opts)$/i;

/** For tests: this host, with its stores of npm and Maven as the caches. */
export function testHost(env: NodeJS.ProcessEnv): ReplayHost {
  return {
    path: env.PATH ?? "",
    environment: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        passedOn.test(name) && value !== undefined ? [[name, value]] : [],
      ),
    ),
    cacheFolder(target) {
      const folder = join(homedir(), target.replace(/^\/root\//, ""));
      mkdirSync(folder, { recursive: true });
      return folder;
    },
  };
}

/** For tests: an image of stack/images, replayed from this checkout; removed when disposed. */
export async function replayOf(
  name: "services" | "spark" | "connect",
  env: NodeJS.ProcessEnv,
): Promise<{ readonly image: ReplayedImage; readonly folder: string } & Disposable> {
  const parent = join(checkout, ".cache/images");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const image = await replayImage({
      dockerfile: join(checkout, `stack/images/${name}.Dockerfile`),
      contextFolder: checkout,
      folder,
      buildArguments: { VERSION: "1.2.3" },
      host: testHost(env),
      say: (line) => process.stdout.write(`images: ${line}\n`),
    });
    return { image, folder, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}
