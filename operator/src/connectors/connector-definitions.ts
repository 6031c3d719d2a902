import { readFileSync } from "node:fs";
import { collections } from "@devicemesh/pipeline";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import { renderConnector } from "./connector-template.ts";

/** The desired state of a connector. */
export type ConnectorDefinition = {
  readonly name: string;
  /** The topic that it reads. */
  readonly topic: string;
  readonly config: Readonly<Record<string, string>>;
};

/** Returns the two sinks of a mesh, from the templates in the configuration of the engines. Reads two files. */
export function connectorDefinitions(mesh: MeshDefinition): readonly ConnectorDefinition[] {
  const { names, replication } = mesh;
  const { messages, windows, messageDeadLetters, windowDeadLetters } = names.topics;
  const shared = {
    database: names.database,
    connectionUri: sinkConnectionUri(mesh.sinkMongodbUrl),
    tasks: Math.min(mesh.sinkTasks, mesh.partitions),
    replication,
  };
  return [
    {
      name: names.connectors.messages,
      topic: messages,
      config: render("messages.json", {
        ...shared,
        name: names.connectors.messages,
        topic: messages,
        collection: collections.messages,
        deadLetterTopic: messageDeadLetters,
      }),
    },
    {
      name: names.connectors.windows,
      topic: windows,
      config: render("windows.json", {
        ...shared,
        name: names.connectors.windows,
        topic: windows,
        collection: collections.windows,
        deadLetterTopic: windowDeadLetters,
      }),
    },
  ];
}

/** The placeholder that a worker of Kafka Connect replaces by the content of a file: `${provider:path:key}`. */
const reference = /\$\{[^}]*\}/g;

/**
 * Returns the connection string with the write concern that the frontier relies on: a majority has the writes on disk.
 * A connection string that is entirely a reference to a file of the workers stays as it is, because the operator cannot
 * add to it.
 */
export function sinkConnectionUri(mongodbUrl: string): string {
  if (/^\$\{[^}]*\}$/.test(mongodbUrl)) return mongodbUrl;
  const [address, query = ""] = mongodbUrl.split("?", 2);
  const options = query.split("&").filter((option) => option !== "" && !/^(w|journal)=/i.test(option));
  const hosts = address!.replaceAll(reference, "").replace(/^mongodb(\+srv)?:\/\//, "");
  return `${address}${hosts.includes("/") ? "" : "/"}?${[...options, "w=majority", "journal=true"].join("&")}`;
}

function render(name: string, variables: Readonly<Record<string, string | number>>): Record<string, string> {
  const file = new URL(`../../../engines/config/connectors/${name}`, import.meta.url);
  return renderConnector({ name, text: readFileSync(file, "utf8") }, variables);
}
