import { strings } from "../../strings.ts";
import { faultPresets, type SimulatorForm } from "./form.ts";

type Field = {
  readonly name: keyof SimulatorForm;
  readonly text: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly step: string;
  readonly placeholder?: string;
};

const { simulator } = strings;

const basics: readonly Field[] = [
  { name: "devices", text: simulator.devices, minimum: 1, maximum: 100_000, step: "1" },
  { name: "interval", text: simulator.interval, minimum: 0.01, maximum: 86_400, step: "any" },
  {
    name: "seed",
    text: simulator.seed,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    step: "1",
    placeholder: simulator.seedHint,
  },
];

const faults: readonly Field[] = [
  { name: "late", text: simulator.late, minimum: 0, maximum: 100, step: "any" },
  { name: "lateMean", text: simulator.lateMean, minimum: 0, maximum: 86_400, step: "any" },
  { name: "duplicates", text: simulator.duplicates, minimum: 0, maximum: 100, step: "any" },
  { name: "shuffle", text: simulator.shuffle, minimum: 0, maximum: 10_000, step: "1" },
  { name: "offline", text: simulator.offline, minimum: 0, maximum: 100, step: "any" },
  { name: "offlineMean", text: simulator.offlineMean, minimum: 0, maximum: 86_400, step: "any" },
  { name: "skew", text: simulator.skew, minimum: 0, maximum: 43_200, step: "any" },
  { name: "invalid", text: simulator.invalid, minimum: 0, maximum: 100, step: "any" },
];

/** The settings of the simulator: how many devices, how often, and which faults. */
export function Settings({
  form,
  onChange,
}: {
  readonly form: SimulatorForm;
  readonly onChange: (form: SimulatorForm) => void;
}) {
  const field = ({ name, text, minimum, maximum, step, placeholder }: Field) => (
    <label key={name} class="field">
      <span>{text}</span>
      <input
        type="number"
        min={minimum}
        max={maximum}
        step={step}
        required={name !== "seed"}
        placeholder={placeholder}
        value={form[name]}
        onInput={(event) => onChange({ ...form, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <div class="grid-fields">{basics.map(field)}</div>
      <fieldset class="group">
        <legend>{simulator.faults}</legend>
        <p class="choice">
          <button type="button" onClick={() => onChange({ ...form, ...faultPresets.none })}>
            {simulator.presets.none}
          </button>
          <button type="button" onClick={() => onChange({ ...form, ...faultPresets.rough })}>
            {simulator.presets.rough}
          </button>
        </p>
        <div class="grid-fields">{faults.map(field)}</div>
      </fieldset>
    </>
  );
}
