/** What happened, who did it, who was told, and what was not done and why. */
import { useQuery } from "@tanstack/react-query";
import type { Incident } from "@/api/incidents.ts";
import { noticesOf, receivers } from "@/api/status.ts";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { Section } from "./section.tsx";
import classes from "./timeline.module.css";
import { happenings, silence } from "./timeline.ts";

export function Timeline({ incident }: { incident: Incident }) {
  const notices = useQuery(noticesOf(incident.id));
  const known = useQuery(receivers());
  const quiet = notices.data && known.data ? silence(notices.data, known.data.length) : null;
  return (
    <Section title="Timeline">
      <table className={classes.table}>
        <caption className="visually-hidden">What happened, oldest first</caption>
        <tbody>
          {happenings(incident, notices.data ?? []).map(({ key, at, who, text, isNot }) => (
            <tr key={key} className={classes.row}>
              <td className={classes.at}>
                <When at={at} />
              </td>
              <td className={classes.who}>{who}</td>
              <td className={isNot ? classes.not : classes.text}>
                <Told text={text} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {notices.isError ? <p role="alert">Who was told can't be shown: {notices.error.message}</p> : null}
      {quiet ? <p className={`muted ${classes.quiet}`}>{quiet}</p> : null}
    </Section>
  );
}
