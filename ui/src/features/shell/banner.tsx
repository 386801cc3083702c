/** The strip above every page while paging is off or failing, nothing new is known, or something is refused. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { mutes, status } from "@/api/status.ts";
import { Shape } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import classes from "./banner.module.css";
import { troublesOf } from "./troubles.ts";

export function Banner() {
  const how = useQuery(status());
  const isShadow = how.data?.paging.because.some((reason) => reason.startsWith("shadow mode")) ?? false;
  const muted = useQuery({ ...mutes(), enabled: isShadow });
  if (!how.data) return <div role="status" />;
  const shadow = isShadow ? (muted.data?.find((mute) => mute.service === null) ?? null) : null;
  const [worst, ...others] = troublesOf(how.data, shadow, Date.now());
  return (
    <div role="status">
      {worst ? (
        <div className={`${classes.strip} ${worst.tone === "critical" ? classes.bad : ""}`}>
          <span className={classes.shape}>
            <Shape tone={worst.tone} />
          </span>
          <p className={classes.text}>
            <Told text={worst.text} />.
            {others.length > 0 ? ` Also: ${others.map((other) => lower(other.title)).join(", ")}.` : null}{" "}
            <Link to="/status">See status</Link>
          </p>
        </div>
      ) : null}
    </div>
  );
}

function lower(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}
