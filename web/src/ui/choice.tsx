/** Buttons of which one is chosen, such as timeframes. */
export function Choice<Name extends string>({
  label,
  options,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly options: readonly { readonly name: Name; readonly text: string }[];
  readonly chosen: Name | undefined;
  readonly onChoose: (name: Name) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map(({ name, text }) => (
        <button key={name} type="button" aria-pressed={name === chosen} onClick={() => onChoose(name)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
