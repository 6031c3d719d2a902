import { expect, it } from "vitest";
import { avoidedWords, checkedFiles, wordsOf } from "./vocabulary.ts";

const avoidedIn = (text: string, path = "kit/src/a.ts") => avoidedWords([{ path, text }]);

it("finds nothing in the tree", () => {
  expect(avoidedWords(checkedFiles())).toEqual([]);
});

it.each([
  ["a comment", "/** Tells whether the log is there. */", "tells"],
  ["an identifier", "const firstRepeats = readRepeats();", "repeats"],
  ["a field in snake case", "readonly upkeep_seconds: number;", "upkeep"],
  ["a text", 'throw new Error("nobody may call this");', "nobody"],
  ["a constant", "const DOOR_COUNT = 2;", "door"],
  ["a phrase", "// The reading is stored for good.", "stored for good"],
  ["a phrase with another verb", "// until the broker was back", "was back"],
  ["a method", "await watch.look(0);", "look"],
  ["a comment in Go", "// explain returns what the mesh says about it.", "says"],
  ["a comment in YAML", "# One turn later, the broker is unavailable.", "turn"],
  ["a message", 'new Error("the database has gone away")', "away"],
])("finds a word in %s, with its line", (_, line, word) => {
  const found = avoidedIn(`\n${line}\n`);
  expect(found[0]).toMatch(new RegExp(`^kit/src/a\\.ts:2: "${word}": write `));
});

it("finds a word in the name of a file", () => {
  expect(avoidedIn("", "kit/src/reading-room.ts")).toEqual([expect.stringContaining('"room"')]);
});

it("allows the names that are stored or public, and only where they belong", () => {
  expect(avoidedIn('windows: "window_repeats"')).toEqual([]);
  expect(avoidedIn("the front door of the mesh, startFrontDoor()")).toEqual([]);
  expect(avoidedIn("SELECT * FROM repeats", "store-duckdb/src/a.ts")).toEqual([]);
  expect(avoidedIn("SELECT * FROM repeats", "query/src/a.ts")).toHaveLength(1);
});

it("allows terms that contain such a word, and fields of the contract where they belong", () => {
  expect(avoidedIn("looks up a key; a look-up; lookUp(key); it looks like an id")).toEqual([]);
  expect(avoidedIn("each server in turn; it turns a cell into a reading")).toEqual([]);
  expect(avoidedIn("- alert: StoreAway")).toEqual([]);
  expect(avoidedIn("respond({ look: inspection })", "import/src/http/import-route.ts")).toEqual([]);
  expect(avoidedIn("respond({ look: inspection })", "query/src/a.ts")).toHaveLength(1);
});

it("reads files of every kind that is written by hand", () => {
  const paths = checkedFiles().map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "ARCHITECTURE.md",
      ".ci/run",
      "docker-stack.yml",
      "envoy/envoy.yaml",
      "examples/go/main.go",
      "proto/devicemesh/v1/reading.proto",
      "stack/images/kafka-entry.sh",
      "stack/images/kafka.Dockerfile",
      "engines/config/connect-worker.properties",
    ]),
  );
});

it("splits identifiers into words", () => {
  expect(wordsOf("readHTTPBody first_room2 ABC")).toEqual(["read", "http", "body", "first", "room", "abc"]);
});
