import packageJson from "../../../package.json" with { type: "json" };

/** The flags that `npm start` passes to Node: ours is measured in the way it is run. */
export const startFlags: readonly string[] = packageJson.scripts.start
  .split(" ")
  .slice(1)
  .filter((word) => word.startsWith("--"));
