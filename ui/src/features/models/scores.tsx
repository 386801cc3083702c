/** A small histogram of how rare samples were, with its numbers. */
import { When } from "@/components/when.tsx";
import { counted, number } from "@/lib/amount.ts";
import { type Distribution, percent } from "./distribution.ts";
import classes from "./scores.module.css";

export function Scores({ distribution }: { distribution: Distribution }) {
  const { scored, unscored, buckets, firstAt, lastAt } = distribution;
  const without = unscored > 0 ? ` ${counted(unscored, "row has", "rows have")} no score.` : "";
  if (scored === 0) return <p className="muted">No row of the last day has a score.{without}</p>;
  const most = Math.max(...buckets.map(({ share }) => share));
  return (
    <>
      <p className="muted">
        {counted(scored, "sample")}, <When at={firstAt} /> to <When at={lastAt} />.{without}
      </p>
      <table className={classes.scores}>
        <thead>
          <tr>
            <th scope="col">So unusual happens</th>
            <td className={classes.track} aria-hidden="true" />
            <th scope="col" className="number">
              Samples
            </th>
            <th scope="col" className="number">
              Share
            </th>
            <th scope="col" className="number">
              By chance
            </th>
          </tr>
        </thead>
        <tbody>
          {buckets.map(({ words, count, share, byChance }) => (
            <tr key={words}>
              <th scope="row">{words}</th>
              <td className={classes.track} aria-hidden="true">
                <div
                  className={classes.bar}
                  style={{ width: count > 0 ? `max(2px, ${(100 * share) / most}%)` : 0 }}
                />
              </td>
              <td className="number">{number(count)}</td>
              <td className="number">{percent(share)}</td>
              <td className="number muted">{percent(byChance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
