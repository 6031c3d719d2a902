import { expect, it } from "vitest";
import { anchorsOf, brokenDocuments, brokenReferences } from "./doc-links.ts";

const paths = ["README.md", "docs/guide.md", "query/src/api/service.ts", "query/README.md"];
const guide = { path: "docs/guide.md", text: "# Guide\n\n## How to add an `RPC`\n" };
const brokenIn = (text: string) => brokenReferences([{ path: "README.md", text }, guide], paths);

it("finds nothing in the tree", () => {
  expect(brokenDocuments()).toEqual([]);
});

it("accepts links to files, folders, headings and other hosts, and files that exist", () => {
  expect(
    brokenIn(
      "# A\n[a](docs/guide.md) [b](docs) [c](query/) [d](#a) [e](docs/guide.md#how-to-add-an-rpc) [f](https://a.example/b) `service.ts` `api/service.ts` `query/src/api/service.ts`",
    ),
  ).toEqual([]);
});

it.each([
  ["[a](docs/other.md)", "links to nothing"],
  ["[a](docs/guide.md#how-to-add-a-sensor)", "names no heading"],
  ["[a](#nowhere)", "names no heading"],
  ["register it in `query/src/service.ts`", "does not exist"],
  ["register it in `services.ts`", "does not exist"],
])("finds %s", (text, problem) => {
  expect(brokenIn(text)).toEqual([expect.stringMatching(new RegExp(`^README\\.md: .* ${problem}$`))]);
});

it("makes anchors like GitHub", () => {
  expect(anchorsOf("# A `b`\n## From a fresh Debian, [x](y)!\n")).toEqual(["a-b", "from-a-fresh-debian-x"]);
});
