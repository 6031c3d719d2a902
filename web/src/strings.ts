import { formatCount, formatRate, plural } from "./format/numbers.ts";
import { formatDuration } from "./format/times.ts";

/** Every English text of the dashboard. */
export const strings = {
  name: "Device Mesh",
  skip: "Skip to the content",
  navigation: "Views",
  views: {
    ...{ overview: "Overview", explore: "Explore", live: "Live", simulator: "Simulator" },
    ...{ import: "Import", pipeline: "Pipeline", api: "API" },
  },
  loading: "Loading …",
  theme: { label: "Colours", system: "System", light: "Light", dark: "Dark" },
  state: {
    connecting: "Connecting",
    connectingDetail: "The page is waiting for the first answer of the server.",
    live: "Live",
    liveDetail: (rate: number) => `${formatRate(rate)} readings a second are being stored.`,
    stopped: "No readings are arriving",
    stoppedDetail: "The server is ready. No reading was stored in the last ten seconds.",
    degraded: "Degraded",
    lost: "Reconnecting",
    lostDetail: (forMs: number, why: string) =>
      `Disconnected for ${formatDuration(forMs)}: ${why}. The figures below are the last ones received.`,
    denied: "Sign-in needed",
    reconnected: (afterMs: number) =>
      `Connected again after ${formatDuration(afterMs)}. The readings of that time have been loaded, so charts have no gap because of it.`,
  },
  problems: {
    unauthenticated:
      "This server needs a token (401). Paste a valid one: npm run certs creates one for development.",
    permissionDenied: "The token is valid, but does not allow this (403). It needs another scope.",
    unavailable: "the server cannot be reached, or is starting or stopping",
    other: (code: string, message: string) => `${code}: ${message}`,
    tooManyBuckets:
      "A bucket of this size gives too many points for a chart. Choose a larger bucket or a shorter timeframe.",
  },
  signIn: {
    title: "Sign in",
    label: "Token",
    hint: "It stays in the memory of this page and is discarded when the page closes.",
    submit: "Sign in",
    signOut: "Sign out",
  },
  overview: {
    rate: "readings a second",
    stored: "readings stored",
    online: "series online",
    onlineOf: (silent: number) => (silent === 0 ? "none is silent" : `${formatCount(silent)} silent`),
    complete: "complete through",
    completeDetail: (lagMs: number) =>
      lagMs < 1000 ? "less than a second ago" : `${formatDuration(lagMs, { fine: true })} ago`,
    unexpected: "duplicates and conflicts",
    unexpectedDetail: (conflicts: bigint) =>
      conflicts === 0n ? "no conflicts" : plural(conflicts, "conflict"),
    series: (count: bigint) => `of ${plural(count, "series", "series")}`,
    disk: (size: string) => `${size} on disk`,
    alarms: "Needs attention",
    silentAlarm: (count: number, example: string) =>
      count === 1
        ? `${example} is silent.`
        : `${plural(count, "series", "series")} are silent, ${example} the longest.`,
    aheadAlarm: (count: number, example: string) =>
      `${count === 1 ? "The clock" : "The clocks"} of ${count === 1 ? example : plural(count, "series", "series")} ${count === 1 ? "is" : "are"} ahead of the server's${count === 1 ? "" : `, such as ${example}`}.`,
    conflictsAlarm: (count: bigint) =>
      `${plural(count, "reading")} had the identity of a stored reading with another value. The first one stored counts.`,
    refusedAlarm: (count: bigint) =>
      `${plural(count, "reading")} broke a rule and ${count === 1n ? "was" : "were"} rejected since the start.`,
    sensors: "The last 15 minutes",
    sensorsHint: "Average of all devices for each sensor, with the span from minimum to maximum.",
    ...{ devices: "Devices", search: "Search devices", searchHint: "Name or pattern: thermostat-*" },
    filters: { all: "All", online: "Online", silent: "Silent" },
    ...{ allSensors: "All sensors", order: "Order" },
    orders: { name: "By name", latest: "Latest first", silent: "Silent longest first" },
    columns: {
      ...{ state: "State", device: "Device", sensor: "Sensor", latest: "Latest" },
      ...{ age: "Age", trend: "Last 15 min", count: "Readings" },
    },
    found: (read: number, total: number) =>
      read >= total
        ? plural(total, "series", "series")
        : `${plural(total, "series", "series")}; scroll for more than ${formatCount(read)}`,
    noneFound: "No series matches the search.",
    online1: "online",
    silent1: "silent",
    ahead1: (ms: number) => `clock ${formatDuration(ms)} ahead`,
    emptyTitle: "No readings are stored yet",
    emptyText: "Start simulated devices, or send a reading of your own:",
    emptySimulator: "Open the simulator",
  },
  sample: {
    load: "Load the sample year",
    loading: "Loading the sample year …",
    hint: "Temperature and pressure in Seattle, hour by hour: 17,518 readings of 2010.",
    failed: "The sample year cannot be loaded: try again in a moment.",
  },
  selection: {
    title: "Selection",
    devices: "Devices",
    devicesHint: "all devices",
    devicesHelp: "Names or patterns with *, separated by commas. Empty means all.",
    sensors: "Sensors",
    allSensors: "all",
    time: "Timeframe",
    spans: {
      "15m": "15 min",
      "1h": "1 h",
      "24h": "24 h",
      "7d": "7 d",
      "30d": "30 d",
      all: "All",
    } as Readonly<Record<string, string>>,
    ...{ from: "From", to: "To", apply: "Apply", zone: "Time zone" },
    local: (zone: string) => `Local (${zone})`,
    bucket: "Bucket",
    calendar: {
      ...{ hour: "Hour of the zone", day: "Day of the zone", week: "Week (from Monday)" },
      ...{ month: "Month", quarter: "Quarter", year: "Year" },
    },
    automatic: (size: string) => (size === "" ? "Automatic" : `Auto (${size})`),
    ...{ lines: "Lines", linesAuto: "Automatic", linesSeries: "One a series" },
    linesSensor: "One a sensor",
    options: "More options",
    curves: "Curves",
    curveKinds: {
      range: "Average, range",
      weighted: "Time-weighted, range",
      percentiles: "Percentiles",
    },
    hold: "Values hold at most",
    fill: "Empty buckets",
    fills: { none: "Gap", previous: "Previous value", linear: "Straight line" },
  },
  chart: {
    legends: {
      range: "Line: average. Area: minimum to maximum.",
      weighted: "Line: average by the time for which values hold. Area: minimum to maximum.",
      percentiles: "Line: median. Areas: up to p90, p95, p99.",
    },
    refused: {
      weighted:
        "Time-weighted averages are computed from at most 1,000,000 raw readings, and this selection needs more: choose a shorter timeframe, a shorter hold or fewer devices.",
      percentiles:
        "This server computes percentiles from at most 1,000,000 raw readings, and this selection has more: choose a shorter timeframe or fewer devices.",
    },
    approximate: (error: string) =>
      `Percentiles of so many readings come from histograms: each is within ${error} of the exact value.`,
    zoomHint: "Drag over the chart to zoom in; double-click to go back.",
    ...{ earlier: "Earlier", later: "Later", zoomIn: "Zoom in", zoomOut: "Zoom out", back: "Back" },
    keyboard: "Arrow keys move the crosshair, + and - zoom, Page Up and Page Down move the timeframe.",
    label: (unit: string, lines: number) => `Chart of ${plural(lines, "line")} in ${unit}`,
    allDevices: "all devices",
    noReadings: "No readings in this timeframe.",
    noReadingsHint: "Choose a longer timeframe, or All.",
    tooManySeries: (shown: number, total: number) =>
      `The first ${shown} of ${plural(total, "series", "series")} are drawn. Choose fewer devices, or one line a sensor.`,
    noneMatches: "No device matches the pattern.",
    outside: (count: bigint, from: string, to: string) =>
      `${plural(count, "reading")} from ${from} to ${to} ${count === 1n ? "is" : "are"} too far from all others to be on this chart. Choose that timeframe to see them.`,
    tooManyDevices: (most: number) =>
      `More devices match than one request names: at most ${formatCount(most)}. Use a narrower pattern, or all devices.`,
    ...{ average: "Average", minimum: "Minimum", maximum: "Maximum", readings: "Readings" },
    weighted: "Time-weighted",
    line: "Line",
    newest: "Newest bucket",
    bucketOf: (size: string) => `Buckets of ${size}`,
    table: "The chart as a table",
    tableLeft: (left: number) => `${formatCount(left)} more rows are in the download.`,
    bucketStart: "Bucket from",
  },
  figures: {
    title: "Figures",
    hint: "Exactly what is selected above, as GetAggregates returns it. Hover a figure for all its digits.",
    columns: {
      ...{ count: "Readings", average: "Average", minimum: "Minimum", maximum: "Maximum" },
      ...{ deviation: "Deviation", first: "First", last: "Last" },
    },
    unit: "Unit",
    more: "More rows than are shown here: choose fewer devices, or one line a sensor.",
    complete: (through: string, lag: string) =>
      `Every reading stored before ${through} (${lag} ago) is counted, each one once.`,
    sources: (windows: bigint, raw: bigint) =>
      `${plural(windows, "reading")} came from windows and ${formatCount(raw)} from raw readings; both give the same figures.`,
    notCovered: (spans: string) => `Not covered, because the readings have expired: ${spans}.`,
    unbounded: "the beginning",
  },
  readings: {
    title: "Raw readings",
    columns: { time: "Measured at", device: "Device", sensor: "Sensor", value: "Value" },
    next: "Older",
    previous: "Newer",
    none: "No readings in this timeframe.",
  },
  commands: {
    ...{ title: "The same from elsewhere", copy: "Copy", copied: "Copied" },
    ...{ csv: "Download the chart as CSV", download: "Download" },
    ...{ readingsAs: "All readings of the selection:", bucketsAs: "All buckets of the selection:" },
  },
  live: {
    title: "Live",
    hint: "The newest buckets as they change. A late reading changes an old bucket; it is marked for some seconds.",
    buckets: "Buckets shown",
    waiting: "Waiting for the first buckets …",
    late: "Late readings",
    lateNone: "No old bucket has changed since this view was opened.",
    lateChange: (name: string, start: string, before: number, after: number) =>
      `${name}, bucket of ${start}: ${formatCount(before)} → ${plural(after, "reading")}`,
    ahead: (name: string, count: bigint) =>
      `${name}: ${plural(count, "reading")} with timestamps ahead of the server`,
    newest: "Newest buckets",
  },
  simulator: {
    title: "Simulator",
    hint: "Simulated devices that send readings to this server, with the faults that real networks have.",
    unavailable: "This server has no simulator.",
    running: (devices: number) => `Running: ${plural(devices, "device")}`,
    ...{ notRunning: "Stopped", start: "Start", stop: "Stop", restart: "Restart with these settings" },
    ...{ devices: "Devices", interval: "Interval (s)", seed: "Seed" },
    ...{ seedHint: "empty: the seed of the process", faults: "Faults", late: "Late (%)" },
    ...{ lateMean: "Mean delay (s)", duplicates: "Duplicates (%)", shuffle: "Shuffled within" },
    ...{ offline: "Offline spells (%)", offlineMean: "Mean length (s)", skew: "Clock skew up to (s)" },
    invalid: "Invalid (%)",
    presets: { none: "No faults", rough: "Rough network" },
    ...{ sent: "sent", acked: "acknowledged", refused: "rejected", outbox: "waiting in the outbox" },
    ...{ dropped: "dropped", rate: "acknowledged a second", lastError: "Last error" },
    proofTitle: "Still exact?",
    proofHint:
      "This page reads the raw readings of the last minutes, computes random questions by brute force in the browser, and compares every figure with the server's answer.",
    proofRun: "Ask random questions",
    proofAgain: "Ask again",
    proofRunning: (done: number, total: number) => `${done} of ${total} questions asked …`,
    proofEqual: (count: number, readings: number) =>
      `Still exact: ${plural(count, "random question")} equal brute force over ${plural(readings, "reading")}.`,
    proofMoved: (count: number) =>
      `${plural(count, "question")} left out: readings arrived late while ${count === 1 ? "it was" : "they were"} asked.`,
    proofDifferent: (count: number) => `${plural(count, "answer")} differ from brute force.`,
    proofNone: "There are no readings in the last minutes to ask about.",
  },
  import: {
    title: "Import",
    hint: "Loads a recording of any kind: CSV and TSV, JSON lines, Home Assistant, InfluxDB. What it leaves open is asked; nothing is guessed.",
    ...{ drop: "Drop a file here, or choose one", questions: "Please state", again: "Inspect again" },
    formats: "Also packed with gzip or zstd. Nothing is stored before you confirm.",
    inspecting: (name: string) => `Inspecting ${name} …`,
    loading: (name: string) => `Loading ${name} …`,
    load: (name: string) => `Load ${name}`,
    sent: "Share of the file that is sent",
    ...{ inspection: "What was recognised", summary: "Loaded", wouldBe: "What loading would do" },
    ...{ oneALine: "one a line", explore: "See it in Explore" },
    rows: (rows: number, values: number) => `${plural(rows, "row")} with ${plural(values, "value")}:`,
    parts: {
      ...{ stored: "stored", duplicates: "duplicates", conflicts: "conflicts", missing: "missing" },
      ...{ unknown_sensor: "unknown sensors", refused: "rejected", bad_rows: "bad rows", unsent: "unsent" },
      resent: "stored before or by a lost attempt",
    },
  },
  pipeline: {
    title: "From device to answer",
    hint: "Each part with what it handles now. The frontier of a level is the moment of arrival up to which all readings are folded.",
    ...{ devices: "Devices", ingest: "Ingest", log: "Log", store: "Store", query: "Query" },
    ...{ acknowledged: "acknowledged only when durably stored", logEnd: "newest append" },
    ...{ stored: "raw readings", partials: "partials", noProblems: "no problem is known" },
    unexpected: (duplicates: bigint, conflicts: bigint) =>
      `${plural(duplicates, "duplicate")}, ${plural(conflicts, "conflict")}`,
    lag: "lag",
    frontier: "frontier",
    level: (size: string) => `${size} windows`,
    ...{ parts: "Parts", part: "Part", health: "Health", detail: "Detail", healthy: "healthy" },
    ...{ problem: "needs attention", deadLetters: "Dead letters", deadLettersNone: "none" },
    windowJob: "Window job (Spark)",
    connector: (name: string) => `Connector ${name}`,
    versions: "Versions",
    rejected: (count: bigint) => `${plural(count, "reading")} rejected since the start`,
    watching: "exact answers over any timeframe",
    keptSince: "kept since",
    records: (count: bigint) => `${plural(count, "record")} behind`,
  },
  api: {
    title: "API",
    hint: "Every RPC of the contract that a page may call. The form, the JSON and the command are the same request.",
    ...{ method: "RPC", form: "Request", json: "Request as JSON" },
    ...{ jsonProblem: "This is not a JSON object", send: "Send", stop: "Stop", answer: "Answer" },
    answerNone: "Send the request: its answer appears here.",
    took: (ms: number, size: string) => `${ms.toFixed(0)} ms, ${size}`,
    messages: (count: number) => `${plural(count, "message")} received; the newest:`,
    ...{ command: "The equivalent command", listHint: "separated by commas", objectHint: "JSON" },
    ...{ timestampHint: "2026-01-01T00:00:00Z", durationHint: "60s", unset: "unset" },
  },
} as const;
