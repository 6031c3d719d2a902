import type { Stage } from "./stages.ts";

/** The stages in the order in which a reading passes them, with arrows that move while readings do. */
export function Picture({
  stages,
  isFlowing,
}: {
  readonly stages: readonly Stage[];
  readonly isFlowing: boolean;
}) {
  return (
    <ol class="picture" data-flowing={isFlowing}>
      {stages.map(({ name, figure, details }) => (
        <li key={name} class="card stage">
          <h2>{name}</h2>
          <p class="stage-figure">{figure}</p>
          {details.map((detail) => (
            <p key={detail} class="quiet">
              {detail}
            </p>
          ))}
        </li>
      ))}
    </ol>
  );
}
