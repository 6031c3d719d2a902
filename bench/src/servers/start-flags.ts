import { fileURLToPath } from "node:url";
import packageJson from "../../../package.json" with { type: "json" };

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The flags that `npm start` passes to Node, for any working directory: ours is measured in the way it is run. */
export const startFlags: readonly string[] = packageJson.scripts.start
  .split(" ")
  .slice(1)
  .filter((word) => word.startsWith("--"))
  .map((word) => word.replace("=./", `=${root}`));
