import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { digestOf, startRegistry } from "../../testing/images/registry-fixture.ts";
import { projectFolder } from "../deploy/stack-files.ts";
import { imageFiles, imagesIn, withDigests, withoutDigests } from "./image-references.ts";
import { pinImages } from "./pin-images.ts";
import { readDigest } from "./registry-digest.ts";

const files = imageFiles(projectFolder);
const textOf = (folder: string) => files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
const plain = withoutDigests(textOf(projectFolder));

describe("the digest of a tag", () => {
  it("is read from the registry, with the token that it requires", async () => {
    await using registry = await startRegistry({
      "library/mongo:8": "an index",
      "prom/prometheus:v3": "another",
    });
    expect(await readDigest({ name: "mongo", tag: "8" }, registry.url)).toBe(digestOf("an index"));
    expect(await readDigest({ name: "prom/prometheus", tag: "v3" }, registry.url)).toBe(digestOf("another"));
    expect(registry.asked).toEqual(["library/mongo:8", "prom/prometheus:v3"]);
  });

  it("is unknown if there is no such tag, if the registry states another digest, or without a registry", async () => {
    const image = { name: "mongo", tag: "8" };
    await using empty = await startRegistry({});
    await expect(readDigest(image, empty.url)).rejects.toThrow(
      /^the digest of mongo:8 is unknown: .* returns 404$/,
    );
    await using lying = await startRegistry({ "library/mongo:8": "an index" }, { lie: true });
    await expect(readDigest(image, lying.url)).rejects.toThrow(
      `other bytes than those of ${digestOf("other")}`,
    );
    await expect(readDigest(image, "http://127.0.0.1:1")).rejects.toThrow(
      /^the digest of mongo:8 is unknown: /,
    );
  });
});

describe("the images of the stack", () => {
  const images = imagesIn(plain).map(({ name, tag }) => `${name}:${tag}`);

  it("are all images except the project's own", () => {
    const bases = [...plain.matchAll(/^FROM (\S+:\S+)/gm)].map(([, base]) => base);
    const services = [...plain.matchAll(/(?:image: |-image )([a-z]\S*:\S+)$/gm)].map(([, image]) => image);
    expect(images.toSorted()).toEqual([...new Set([...bases, ...services])].toSorted());
    expect(images).toEqual(expect.arrayContaining([expect.stringMatching(/^mongo:8/)]));
  });

  it("are pinned in the stack file, pinned again after a change, and can be unpinned", async () => {
    using folder = temporaryFolder();
    for (const file of files) {
      mkdirSync(dirname(join(folder.path, file)), { recursive: true });
      cpSync(join(projectFolder, file), join(folder.path, file));
      writeFileSync(join(folder.path, file), withoutDigests(readFileSync(join(folder.path, file), "utf8")));
    }
    for (const version of ["first", "second"]) {
      const printed: string[] = [];
      await pinImages({
        project: folder.path,
        readDigest: async ({ name, tag }) => digestOf(`${version} ${name}:${tag}`),
        report: (line) => printed.push(line),
      });
      const digests = new Map(images.map((image) => [image, digestOf(`${version} ${image}`)]));
      expect(textOf(folder.path)).toBe(withDigests(plain, digests));
      expect(textOf(folder.path).split("@sha256:").length).toBeGreaterThan(images.length);
      expect(printed).toContain("changed docker-stack.yml");
    }
    expect(withoutDigests(textOf(folder.path))).toBe(plain);
  });

  it("stay unchanged if one digest is unknown", async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "docker-stack.yml"), plain);
    const failed = pinImages({
      project: folder.path,
      readDigest: ({ name }) =>
        name === "mongo" ? Promise.reject(new Error("unknown")) : Promise.resolve(digestOf(name)),
      report: () => {},
    });
    await expect(failed).rejects.toThrow("unknown");
    expect(readFileSync(join(folder.path, "docker-stack.yml"), "utf8")).toBe(plain);
  });
});
