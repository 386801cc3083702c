/** The log of a service around an instant or over a range, with what it says that it did not say before. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { services } from "@/api/services.ts";
import { Empty, Failed, Loading } from "@/components/face.tsx";
import { Ranges } from "@/components/ranges.tsx";
import { Filters } from "@/features/logs/filters.tsx";
import { Found } from "@/features/logs/found.tsx";
import { PatternList } from "@/features/logs/pattern-list.tsx";
import { askedBy, hasPatterns, type LogSearch, patternsQuestionOf } from "@/features/logs/question.ts";
import classes from "./logs.module.css";

const route = getRouteApi("/logs");

export function LogsPage() {
  const search: LogSearch = route.useSearch();
  const navigate = route.useNavigate();
  const known = useQuery(services());
  const [now, setNow] = useState(Date.now);

  const first = known.data?.[0]?.id;
  useEffect(() => {
    // The list begins with the worst; which one that is may change, so the address keeps it.
    if (search.service || !first) return;
    void navigate({ search: (before: LogSearch) => ({ ...before, service: first }), replace: true });
  }, [search.service, first, navigate]);

  const change = (changed: LogSearch) => {
    if (changed.range !== undefined) setNow(Date.now());
    void navigate({
      search: (before: LogSearch) => ({ ...before, ...changed }),
      replace: changed.text !== undefined,
      resetScroll: false,
    });
  };
  const asked = askedBy(search, now);
  return (
    <div className={classes.page}>
      <h1>Logs{asked ? ` of ${asked.service}` : ""}</h1>
      {asked ? (
        <>
          <Filters
            services={known.data ?? []}
            search={search}
            asked={asked}
            onChange={change}
            onNewer={() => setNow(Date.now())}
          >
            <Ranges value={asked.rangeText} onChange={(range) => change({ range, at: "" })} />
          </Filters>
          <div className={classes.columns}>
            <section className={classes.lines} aria-label="Lines">
              <Found asked={asked} onChange={change} />
            </section>
            {hasPatterns(asked) ? (
              <PatternList
                question={patternsQuestionOf(asked)}
                searched={asked.text}
                onOnly={(text) => change({ text })}
              />
            ) : (
              <p className="muted">Patterns are made of up to seven days; this range is longer.</p>
            )}
          </div>
        </>
      ) : known.isError ? (
        <Failed what="the services" error={known.error} again={() => void known.refetch()} />
      ) : known.data ? (
        <Empty title="No service is found yet">
          <p>Logs are shown by service. The overview says what was looked for.</p>
        </Empty>
      ) : (
        <Loading what="the services" />
      )}
    </div>
  );
}
