import { describe, expect, it } from "vitest";
import { readDockerfile } from "./dockerfile.ts";

const stepsOf = (...lines: readonly string[]) => readDockerfile(["FROM a:1", ...lines].join("\n"))[0]?.steps;

describe("readDockerfile", () => {
  it("reads stages with their names and bases", () => {
    const stages = readDockerfile("FROM a:1 AS one\nUSER x\n# comment\n\nFROM one\nUSER y\n");
    expect(stages).toEqual([
      { name: "one", base: "a:1", steps: [{ kind: "user", user: "x" }] },
      { name: undefined, base: "one", steps: [{ kind: "user", user: "y" }] },
    ]);
  });

  it("joins the lines of RUN, and leaves out the comments between them", () => {
    expect(
      stepsOf("RUN --mount=type=cache,target=/root/.npm \\", "    a \\", "  # why", "    && b 'c  d'"),
    ).toEqual([{ kind: "run", command: "a     && b 'c  d'", caches: ["/root/.npm"] }]);
  });

  it("reads what is copied, from where and for whom", () => {
    expect(stepsOf("COPY a b c/", "COPY --from=one --chown=x:y /a ./")).toEqual([
      { kind: "copy", from: undefined, owner: undefined, sources: ["a", "b"], target: "c/" },
      { kind: "copy", from: "one", owner: "x:y", sources: ["/a"], target: "./" },
    ]);
  });

  it("reads names and values, with spaces in quotes", () => {
    expect(stepsOf('ENV A=1 B="2 3"', 'LABEL x.y="z $V"', "ARG V=4", "ARG W")).toEqual([
      {
        kind: "env",
        values: new Map([
          ["A", "1"],
          ["B", "2 3"],
        ]),
      },
      { kind: "label", values: new Map([["x.y", "z $V"]]) },
      { kind: "arg", name: "V", value: "4" },
      { kind: "arg", name: "W", value: undefined },
    ]);
  });

  it("reads commands with the spaces that they have", () => {
    expect(stepsOf('ENTRYPOINT ["a", "b c"]', 'CMD ["d"]')).toEqual([
      { kind: "entrypoint", command: ["a", "b c"] },
      { kind: "cmd", command: ["d"] },
    ]);
  });

  it.each([
    "ADD a b",
    "VOLUME /a",
    "EXPOSE 1",
    "HEALTHCHECK CMD a",
    'SHELL ["a"]',
    "ONBUILD RUN a",
    "COPY --link a b",
    "COPY --chmod=755 a b",
    'COPY ["a", "b"]',
    "COPY a",
    "RUN --mount=type=secret,id=a b",
    "RUN --network=none a",
    'RUN ["a"]',
    "RUN <<END\na\nEND",
    "COPY <<END b\na\nEND",
    "CMD a b",
    "ENTRYPOINT a b",
    "FROM --platform=a b",
    "FROM b:$V",
    "FROM b as",
    "NONSENSE a",
  ])("refuses what it does not replay: %s", (line) => {
    expect(() => stepsOf(line)).toThrow(/^line 2: .+ is not among what is replayed/);
  });

  it("refuses directives, and instructions before the first FROM", () => {
    expect(() => readDockerfile("# syntax=docker/dockerfile:1\nFROM a:1\n")).toThrow("directive");
    expect(() => readDockerfile("ARG A=1\nFROM a:1\n")).toThrow("line 1: ARG");
  });
});
