import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { walkCommands } from "../../lab/walk/walk.ts";
import { makeSecrets } from "../../src/deploy/secret-files.ts";
import { projectFolder } from "../../src/deploy/stack-files.ts";

const page = readFileSync(join(projectFolder, "docs/running.md"), "utf8");

describe("the walk of docs/running.md", () => {
  it("has commands that exist, from creating the Swarm to the first answer", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8")) as {
      scripts: Readonly<Record<string, string>>;
    };
    const commands = walkCommands(page);
    expect(commands[0]).toBe("docker swarm init");
    expect(commands.at(-1)).toContain("GetAggregates");
    for (const command of commands) {
      const [, script] = /^npm run (\S+)/.exec(command) ?? [];
      if (script !== undefined) expect(scripts).toHaveProperty([script]);
      expect(command).toMatch(/^(?:npm run|docker|curl) /);
    }
  });

  it("reads only files that stack:secrets makes", async () => {
    using folder = temporaryFolder();
    const made = await makeSecrets({ folder: folder.path, hosts: ["localhost"], nowMs: Date.now() });
    const read = [...page.matchAll(/stack\/secrets\/([\w./-]+\w)/g)].map(([, file]) => file);
    expect(read.length).toBeGreaterThan(0);
    expect(made.map(({ file }) => file)).toEqual(expect.arrayContaining(read));
  });

  it("joins continued lines, and leaves out the printed output after a command", () => {
    const title = "## From a fresh Debian to the first answer\n";
    const text = `${title}text\n\`\`\`sh\na b # why\nc \\\n   d "#1"\n\`\`\`\n## Next\n\`\`\`sh\ne\n\`\`\`\n`;
    expect(walkCommands(text)).toEqual(["a b", 'c d "#1"']);
    expect(() => walkCommands("nothing")).toThrow("no section");
    expect(() => walkCommands(title)).toThrow("no commands");
  });
});
