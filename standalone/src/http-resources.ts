import type { IngestTls } from "@devicemesh/client";
import { openGateway } from "@devicemesh/gateway";
import type { HttpGate } from "@devicemesh/identity";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { FallbackHandler, ReadingStore } from "@devicemesh/query";
import { createPage, type PageFacts } from "@devicemesh/query/page/page";
import type { EmbeddedConfig } from "./settings.ts";

/** What the rooms make their resources from. */
export type HttpResourcesOptions = {
  readonly config: EmbeddedConfig;
  /** Guards each route that needs a token; it admits every request where authentication is off. */
  readonly gate: HttpGate;
  readonly store: ReadingStore;
  /** host:port of ingest, for rooms that send readings. */
  readonly ingest: string;
  /** How they reach it; in cleartext if undefined. */
  readonly ingestTls: IngestTls | undefined;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly unfinished: UnfinishedRequests;
  readonly metrics: Metrics | undefined;
  /** What the page shows; asked for with each request, because the ports are known late. */
  readonly pageFacts: () => PageFacts;
};

/** The resources beside the RPCs, and what they hold. Close them after the server, and before ingest and the store. */
export type HttpResources = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
  /** Answers what no route answers. */
  readonly fallback: FallbackHandler;
};

/** Opens the HTTP resources of all rooms: one line of `routes` for each; what a room has to close goes into `opened`. */
export function openHttpResources(options: HttpResourcesOptions): HttpResources {
  const { config, pageFacts } = options;
  const opened = new AsyncDisposableStack();
  const gateway = opened.use(
    openGateway({
      ...options,
      tls: options.ingestTls,
      origins: listOf(config.corsOrigin),
      deviceTags: listOf(config.lineDeviceTags),
    }),
  );
  return {
    routes: [...gateway.routes],
    fallback: createPage(pageFacts),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function listOf(text = ""): string[] {
  return text.split(",").filter((part) => part !== "");
}
