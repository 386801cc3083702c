/** How Bellwether itself is: its parts, paging, configuration, what people changed. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { root } from "@/api/client.ts";
import { type Status, status } from "@/api/status.ts";
import { Shown } from "@/components/face.tsx";
import { When } from "@/components/when.tsx";
import { Audit } from "@/features/status/audit.tsx";
import { Configuration } from "@/features/status/configuration.tsx";
import { Gaps } from "@/features/status/gaps.tsx";
import { Mutes } from "@/features/status/mutes.tsx";
import { Notices } from "@/features/status/notices.tsx";
import { PartList } from "@/features/status/part-list.tsx";
import { headline, partsOf, uptime } from "@/features/status/parts.ts";
import { Receivers } from "@/features/status/receivers.tsx";
import { Section } from "@/features/status/section.tsx";
import { Shadow } from "@/features/status/shadow.tsx";
import { Targets } from "@/features/status/targets.tsx";
import { useNow } from "@/live/clock.ts";
import classes from "./status.module.css";

const route = getRouteApi("/status");

export function StatusPage() {
  const query = useQuery(status());
  return (
    <div className={classes.page}>
      <h1>Status</h1>
      <Shown what="the status" query={query}>
        {(now) => <Parts status={now} />}
      </Shown>
    </div>
  );
}

function Parts({ status }: { status: Status }) {
  const { find = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const parts = partsOf(status, now);
  return (
    <div className={classes.page}>
      <p className={classes.headline} role="status">
        {headline(parts)}
      </p>
      <Section id="parts" title="Parts, worst first">
        <PartList parts={parts} />
      </Section>
      <Section id="paging" title="Paging">
        <Receivers />
        <Shadow />
        <Mutes />
        <Notices state="given_up" title="Pages that were given up" none="No page was given up." />
        <Notices state="withheld" title="Pages that were withheld" none="No page was withheld." />
      </Section>
      <Section id="gaps" title="Gaps by reason">
        <Gaps gaps={status.gaps} />
      </Section>
      {status.embedded ? (
        <Section id="targets" title="Targets of the embedded store">
          <Targets targets={status.embedded.targets} />
        </Section>
      ) : null}
      <Section id="configuration" title="Configuration">
        <Configuration
          status={status}
          find={find}
          onFind={(text) => void navigate({ search: { find: text }, replace: true, resetScroll: false })}
        />
      </Section>
      <Section id="versions" title="Version">
        <p>
          Bellwether {status.version}, started <When at={status.started_at} />, up for {uptime(status, now)}.{" "}
          <a href={`${root}/api/v1/docs`}>The API of this version</a>
        </p>
      </Section>
      <Section id="audit" title="Audit trail">
        <Audit />
      </Section>
    </div>
  );
}
