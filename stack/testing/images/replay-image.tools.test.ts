import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { openBuildContext } from "./build-context.ts";
import { checkout, replayProblem, testHost } from "./image-fixture.ts";
import { runImage, startImage } from "./image-run.ts";
import { replayImage } from "./replay-image.ts";

const nodeImage = `node:${process.version.slice(1)}-bookworm-slim`;

/** Replays a Dockerfile whose context has these files. */
async function replayed(
  folder: string,
  dockerfile: readonly string[],
  files: Readonly<Record<string, string>>,
) {
  const context = join(folder, "context");
  for (const [path, text] of Object.entries({ ".dockerignore": "", ...files })) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), text);
  }
  writeFileSync(join(folder, "Dockerfile"), [`FROM ${nodeImage} AS base`, ...dockerfile].join("\n"));
  const said: string[] = [];
  const image = await replayImage({
    dockerfile: join(folder, "Dockerfile"),
    contextFolder: context,
    folder: join(folder, "stages"),
    buildArguments: { VERSION: "7" },
    host: testHost(process.env),
    say: (line) => said.push(line),
  });
  const read = (path: string): string => readFileSync(join(image.root, path), "utf8");
  return { image, said, read };
}

describe.skipIf(replayProblem !== undefined)("replayImage", () => {
  it("copies, runs and remembers as the Dockerfile says, and tells what stands in for the base", async () => {
    using folder = temporaryFolder();
    const { image, said, read } = await replayed(
      folder.path,
      [
        "WORKDIR /opt/a",
        "COPY one.txt two.txt ./",
        "COPY in/ in/",
        "COPY one.txt renamed.txt",
        "FROM base AS build",
        "WORKDIR /build",
        'RUN echo "$NODE_VERSION" > version && mkdir empty && ln -s version link',
        "FROM base",
        "ARG VERSION=0",
        'LABEL v="is $VERSION"',
        'ENV A="b c"',
        "ENV B=$A-d",
        "COPY --from=base /opt/a/in/ /opt/b/",
        "COPY --from=build --chown=node:node /build /opt/c",
        "WORKDIR sub",
        "USER node",
        'ENTRYPOINT ["node"]',
        'CMD ["-p", "process.getuid()"]',
      ],
      { "one.txt": "1", "two.txt": "2", "in/deep/three.txt": "3" },
    );
    expect(said).toEqual([
      `for ${nodeImage}: Node ${process.version.slice(1)} of this project, npm of the host`,
    ]);
    expect(read("opt/b/deep/three.txt")).toBe("3");
    expect(read("opt/c/version")).toBe(`${process.version.slice(1)}\n`);
    expect(read("opt/c/link")).toBe(read("opt/c/version"));
    expect(statSync(join(image.root, "opt/c/empty")).uid).toBe(1000);
    expect(statSync(join(image.root, "opt/b")).uid).toBe(0);
    expect(existsSync(join(image.root, "build"))).toBe(false);
    expect(image.labels).toEqual(new Map([["v", "is 7"]]));
    expect(image.environment).toMatchObject({ A: "b c", B: "b c-d" });
    expect(image.workFolder).toBe("/opt/a/sub");
    expect(await runImage(image)).toEqual({ exitCode: 0, output: "1000\n" });
  });

  it("runs each step with the stage as its root: nothing of the host is seen, nothing gets out", async () => {
    using folder = temporaryFolder();
    const { read } = await replayed(
      folder.path,
      [
        `RUN ls / > /listing && ls /usr/local/bin >> /listing && ! test -e ${checkout}package.json && touch /opt/x`,
      ],
      {},
    );
    const listing = read("listing").split("\n");
    expect(listing).toEqual(expect.arrayContaining(["opt", "node", "npm"]));
    // Its own folders only; the checkout, wherever it is, was looked for inside.
    expect(listing).not.toEqual(expect.arrayContaining(["root", "srv"]));
    expect(existsSync("/opt/x")).toBe(false);
  });

  it("names the step that fails, with what it said", async () => {
    using folder = temporaryFolder();
    const failing = replayed(folder.path, ["RUN echo hello >&2 && exit 3"], {});
    await expect(failing).rejects.toThrow(/stage base: RUN echo hello.*\nended with 3:\nhello/s);
  });

  it.each([
    ["COPY none.txt ./", "not in the build context"],
    ["COPY left-out.txt ./", "not in the build context"],
    ["COPY --from=none /a /b", "no such stage"],
    ["USER nobody-here", "no user nobody-here"],
    ["ENV A=$NONE", "nothing says what NONE is"],
  ])("refuses %s", async (line, told) => {
    using folder = temporaryFolder();
    const files = { ".dockerignore": "left-out.txt\n", "left-out.txt": "" };
    await expect(replayed(folder.path, [line], files)).rejects.toThrow(told);
  });

  it("refuses a base that the host's programs are not equal to", async () => {
    using folder = temporaryFolder();
    using another = temporaryFolder();
    await expect(replayed(folder.path, ["FROM node:1.2.3-bookworm-slim"], {})).rejects.toThrow("Node 1.2.3");
    await expect(replayed(another.path, ["FROM postgres:17"], {})).rejects.toThrow("postgres:17");
  });

  it("starts an image that can write to nothing but /tmp and its volumes, as process 1, until it is asked to end", async () => {
    using folder = temporaryFolder();
    const program = `
      const fs = require("node:fs");
      for (const path of ["/x", "/opt/a", "/opt/own", "/tmp/x", "/state/x"]) {
        try { fs.writeFileSync(path, "x"); console.log("wrote", path); } catch (error) { console.log(error.code, path); }
      }
      process.on("SIGTERM", () => process.exit(7));
      console.log("process", process.pid);
      setInterval(() => {}, 1000);`;
    const { image } = await replayed(
      folder.path,
      [
        "COPY a /opt/a",
        "RUN install -o node /opt/a /opt/own && mkdir /state",
        "USER node",
        'CMD ["node", "/opt/a"]',
      ],
      { a: program },
    );
    const volume = join(folder.path, "volume");
    mkdirSync(volume, { mode: 0o777 });
    const running = await startImage(image, { volumes: { "/state": volume } });
    await expect.poll(() => running.output.stdout).toContain("process 1\n");
    expect(running.output.stdout.split("\n").slice(0, 5)).toEqual([
      expect.stringMatching(/^E(ACCES|ROFS) \/x$/),
      expect.stringMatching(/^E(ACCES|ROFS) \/opt\/a$/),
      "EROFS /opt/own",
      "wrote /tmp/x",
      expect.stringMatching(/ \/state\/x$/),
    ]);
    expect(await running.stop()).toBe(7);
  });
});

describe.skipIf(replayProblem !== undefined)("a replayed image that runs", () => {
  it("is gone once it is disposed, though it does not listen, and reads what it was given", async () => {
    using folder = temporaryFolder();
    const program =
      'process.on("SIGTERM", () => {}); console.log(require("fs").readFileSync("/run/secrets/deep/a", "utf8")); setInterval(() => {}, 1000)';
    const { image } = await replayed(
      folder.path,
      ["USER node", `CMD ["node", "-e", ${JSON.stringify(program)}]`],
      {},
    );
    const secret = join(folder.path, "secret");
    writeFileSync(secret, "told");
    const running = await startImage(image, { configs: { "/run/secrets/deep/a": secret } });
    await expect.poll(() => running.output.stdout || running.hasEnded()).toBe("told\n");
    await running[Symbol.asyncDispose]();
    expect(running.hasEnded()).toBe(true);
    await running[Symbol.asyncDispose]();
  });
});

describe("the build context of this project", () => {
  it("has no secret, no data, no test and nothing that was installed", () => {
    const { includes } = openBuildContext(checkout);
    const left = [
      ...[
        ".git/config",
        ".env",
        "certs/ca.key",
        "certs/tokens/admin.jwt",
        "data/devicemesh.duckdb",
        ".cache/x",
      ],
      ...[
        "node_modules/a/index.js",
        "kit/node_modules/a/index.js",
        "kit/src/health/probe.test.ts",
        "kit/src/.env.local",
      ],
      ...["ingest/src/server.pem", "identity/src/certs/main.ts", "e2e/src/a.ts", "bench/src/main.ts"],
      ...["scripts/test.ts", "mesh/src/main.ts", "standalone/src/main.ts", "docker-stack.yml", "README.md"],
      ...["stack/secrets/mongo_root_password", "stack/secrets/certs/server-key.pem", "stack/src/main.ts"],
      ...[
        "query/testing/oracle/index.ts",
        "ingest/testing/message-log.contract.ts",
        "kit/testing/test-helpers.ts",
      ],
    ];
    expect(left.filter(includes)).toEqual([]);
    const taken = [
      "package-lock.json",
      "kit/package.json",
      "kit/src/health/probe-main.ts",
      "proto/gen/image.binpb",
    ];
    expect(taken.filter(includes)).toEqual(taken);
  });
});
