/** One service: how it is, each of its metrics now and before, and the models that judge them. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { findingsOf, type Service, services } from "@/api/services.ts";
import { Empty, Loading, Shown } from "@/components/face.tsx";
import { Head } from "@/features/service/head.tsx";
import { History } from "@/features/service/history.tsx";
import { Metrics } from "@/features/service/metrics.tsx";
import { Models } from "@/features/service/models.tsx";
import { useRange } from "@/features/service/range.ts";
import { Selector } from "@/features/service/selector.tsx";
import classes from "./service.module.css";

const route = getRouteApi("/services/$service");

export function ServicePage() {
  const { service: id } = route.useParams();
  const query = useQuery(services());
  return (
    <div className={classes.page}>
      <Shown what="the services" query={query}>
        {(all) => {
          const service = all.find((one) => one.id === id);
          return (
            <>
              <Selector services={all} current={id} />
              {service ? <Watched key={id} service={service} /> : <Unknown id={id} />}
            </>
          );
        }}
      </Shown>
    </div>
  );
}

function Unknown({ id }: { id: string }) {
  return (
    <Empty title={`No service is named ${id}`} isPage>
      <p>
        It may have another name, or is not scraped any more: services that are gone for longer than a while
        are not listed. Choose another above, or see the <Link to="/">overview</Link>.
      </p>
      <p>
        <Link to="/incidents" search={{ service: id }}>
          Its incidents
        </Link>{" "}
        remain.
      </p>
    </Empty>
  );
}

function Watched({ service }: { service: Service }) {
  const ranging = useRange();
  const query = useQuery(findingsOf(service.id));
  const findings = query.data?.items;
  const evaluated = query.data?.evaluated_at ?? null;
  return (
    <>
      <Head service={service} findings={findings ?? []} evaluated={evaluated} />
      <section aria-labelledby="metrics">
        <h2 id="metrics">Metrics, worst first</h2>
        <Shown what="the metrics" query={query}>
          {({ items }) =>
            items.length > 0 ? (
              <Metrics service={service.id} findings={items} evaluated={evaluated} />
            ) : (
              <Empty title="Nothing is judged yet">
                <p>
                  Metrics appear after the first evaluation, a few seconds after the service was seen first.
                </p>
              </Empty>
            )
          }
        </Shown>
      </section>
      {findings ? (
        findings.length > 0 ? (
          <History service={service.id} findings={findings} evaluated={evaluated} ranging={ranging} />
        ) : null
      ) : query.isError ? null : (
        <Loading what="the history" />
      )}
      <Models service={service.id} findings={findings ?? []} />
    </>
  );
}
