/** What each judge of a metric said about a sample: a distance, and how rare such a one is on this series. */
import type { Schemas } from "@/api/client.ts";
import { number } from "@/lib/amount.ts";
import { JUDGES, onceIn, statisticInWords } from "@/lib/words.ts";
import classes from "./judges.module.css";

export function Judges({ components }: { components: Schemas["Component"][] }) {
  if (components.length === 0) return null;
  return (
    <table className={classes.table}>
      <caption className="visually-hidden">What each judge says</caption>
      <thead>
        <tr>
          <th scope="col">Judge</th>
          <th scope="col" className="number">
            Distance
          </th>
          <th scope="col" className="number">
            Rarity
          </th>
          <th scope="col" className={classes.once}>
            Seen once in
          </th>
        </tr>
      </thead>
      <tbody>
        {components.map((judge) => (
          <tr key={judge.name}>
            <th scope="row">{JUDGES[judge.name]}</th>
            <td className="number">{statisticInWords(judge)}</td>
            <td className="number">{number(judge.rarity)}</td>
            <td className={classes.once}>{onceIn(judge.rarity)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
