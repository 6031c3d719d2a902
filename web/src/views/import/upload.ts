import { callHeaders } from "../../mesh/clients.ts";

/** The server's description of a recording. */
export type Inspection = {
  readonly file: string;
  readonly preset: string | null;
  readonly format: string;
  readonly encoding: string;
  readonly columns: readonly unknown[];
  readonly examples: readonly {
    readonly line: number;
    readonly device_id: string;
    readonly timestamp: string;
    readonly sensor: string;
    readonly value: number;
    readonly unit: string;
  }[];
  /** An open question of the recording, with the parameter that answers it. */
  readonly questions: readonly { readonly parameter: string; readonly text: string }[];
  readonly problem: string | null;
};

/** The counts of an import: values is the sum of all that follow. */
export type Report = {
  readonly ended: string;
  readonly problem: string | null;
  readonly dry_run: boolean;
  readonly rows: number;
  readonly values: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Sent again after a lost answer, and stored before. */
  readonly resent: number;
  /** Whether `duplicates` counts those of earlier loads. */
  readonly earlier_loads_known: boolean;
  readonly missing: number;
  readonly unknown_sensor: number;
  readonly refused: number;
  readonly bad_rows: number;
  readonly unsent: number;
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
};

/** The result of an upload. */
export type UploadAnswer = {
  readonly inspection?: Inspection | undefined;
  readonly report?: Report | undefined;
  /** The problems that prevent loading, as text. */
  readonly problems: readonly string[];
};

/** Parameters of an upload by name; several values of one are separated by line breaks. */
export type Parameters = Readonly<Record<string, string>>;

/**
 * Uploads a file to be described (`isDryRun`, nothing is stored) or loaded. `onSent` receives the share of the file that
 * is sent: the server reads a file as fast as it stores it. @throws TypeError if there is no response.
 */
export function upload(
  file: File,
  parameters: Parameters,
  {
    isDryRun,
    signal,
    onSent,
  }: { readonly isDryRun: boolean; readonly signal: AbortSignal; onSent(share: number): void },
): Promise<UploadAnswer> {
  const query = uploadQuery(file.name, parameters, isDryRun);
  // fetch does not report how much of a body is sent.
  const request = new XMLHttpRequest();
  request.open("POST", `/v1/import?${query}`);
  const headers = { ...callHeaders(), "content-type": "application/octet-stream" };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  return new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 1);
    request.onload = () => resolve(answerOf(request.status, request.responseText));
    request.onerror = () => reject(new TypeError("no response"));
    request.onabort = () => reject(new TypeError("cancelled"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

/** Formats the parameters as a query string; leaves out empty ones. Pure. */
export function uploadQuery(name: string, parameters: Parameters, isDryRun: boolean): string {
  const query = new URLSearchParams({ name, ...(isDryRun && { dry_run: "true" }) });
  for (const [parameter, text] of Object.entries(parameters)) {
    for (const value of text.split("\n").map((line) => line.trim())) {
      if (value !== "") query.append(parameter, value);
    }
  }
  return query.toString();
}

/** The fields of a response: the description of the recording is `look`. */
type ServerAnswer = Omit<UploadAnswer, "inspection"> & {
  readonly look: Inspection;
  readonly message: string;
};

/** Parses a response of the server; an error that is not from the import is a problem too. Pure. */
export function answerOf(status: number, text: string): UploadAnswer {
  try {
    const { look, report, problems, message } = JSON.parse(text) as Partial<ServerAnswer>;
    const others = problems ?? (status === 200 ? [] : [message ?? `HTTP ${status}`]);
    return { inspection: look, report, problems: others };
  } catch {
    return { problems: [`HTTP ${status}`] };
  }
}
