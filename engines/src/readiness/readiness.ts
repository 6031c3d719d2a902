import { setTimeout as delay } from "node:timers/promises";
import { askLimitMs } from "../limits.ts";
import { clusterMetadata } from "./kafka-metadata.ts";
import { takesWrites } from "./mongo-hello.ts";
import { sparkVersion } from "./spark-version.ts";

/** The readiness probe of an engine: the request, and the expected response. */
export type Probe =
  /** The broker with this id knows a controller, and is a member of the cluster. */
  | { readonly kind: "kafka"; readonly port: number; readonly nodeId: number }
  /** This URL answers with 200; its text contains `contains`, if given. */
  | { readonly kind: "http"; readonly url: string; readonly contains?: string }
  /** It accepts writes. */
  | { readonly kind: "mongo"; readonly port: number }
  /** It returns its version to a session; in a cluster, a live master also knows its application. */
  | {
      readonly kind: "spark";
      readonly port: number;
      readonly cluster?: { readonly masterPage: string; readonly application: string };
    };

const host = "127.0.0.1";
const pollMs = 100;

/** Probes once. Resolves with undefined if the engine is ready, otherwise with the reason why it is not. */
export async function askProbe(probe: Probe): Promise<string | undefined> {
  try {
    return await ask(probe);
  } catch (error) {
    return reason(error);
  }
}

/**
 * Probes until the engine is ready.
 * @throws Error with the last reason if it is not ready within `limitMs`; the error of `check`, which is called every
 * 100 ms, for example if the process has ended or the wait was cancelled.
 */
export async function untilReady(
  probe: Probe,
  options: { readonly limitMs: number; readonly check: () => void },
): Promise<void> {
  const deadlineMs = performance.now() + options.limitMs;
  for (;;) {
    options.check();
    const failure = await checkedWhile(askProbe(probe), options.check);
    if (failure === undefined) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`not ready within ${options.limitMs / 1000} s: ${failure}`);
    }
    await delay(pollMs);
  }
}

/** A probe may take seconds; cancelling the wait does not wait for it. */
async function checkedWhile<Answer>(asked: Promise<Answer>, check: () => void): Promise<Answer> {
  const answer = asked.then((value) => ({ value }));
  for (;;) {
    const done = await Promise.race([answer, delay(pollMs, undefined)]);
    check();
    if (done) return done.value;
  }
}

async function ask(probe: Probe): Promise<string | undefined> {
  switch (probe.kind) {
    case "kafka": {
      const { brokers, controller } = await clusterMetadata({ host, port: probe.port, limitMs: askLimitMs });
      if (controller === undefined) return "the cluster has no controller yet";
      return brokers.includes(probe.nodeId) ? undefined : "the cluster has not let it in yet";
    }
    case "http": {
      const response = await fetch(probe.url, { signal: AbortSignal.timeout(askLimitMs) });
      const text = await response.text();
      if (response.status !== 200) return `status ${response.status}`;
      return probe.contains === undefined || text.includes(probe.contains)
        ? undefined
        : `${probe.contains} is not in the answer yet`;
    }
    case "mongo":
      return (await takesWrites({ host, port: probe.port, limitMs: askLimitMs }))
        ? undefined
        : "it takes no writes yet";
    case "spark":
      await sparkVersion({ host, port: probe.port, limitMs: askLimitMs });
      return probe.cluster && (await isApplicationLost(probe.cluster))
        ? "the master does not know its application"
        : undefined;
  }
}

/**
 * Whether a live master has lost this application. A master that does not answer or is recovering has lost nothing yet.
 */
async function isApplicationLost(cluster: {
  readonly masterPage: string;
  readonly application: string;
}): Promise<boolean> {
  const signal = AbortSignal.timeout(askLimitMs);
  const response = await fetch(cluster.masterPage, { signal }).catch(() => undefined);
  if (!response?.ok) return false;
  const master = (await response.json()) as {
    readonly status?: string;
    readonly activeapps?: readonly { readonly name?: string }[];
  };
  return (
    master.status === "ALIVE" && !(master.activeapps ?? []).some(({ name }) => name === cluster.application)
  );
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
