/** What could not be gathered, and why. */
import { Told } from "@/components/told.tsx";
import { Section } from "./section.tsx";

export function Missing({ missing }: { missing: string[] }) {
  if (missing.length === 0) return null;
  return (
    <Section title="What could not be gathered">
      <ul>
        {missing.map((text) => (
          <li key={text}>
            <Told text={text} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
