/** What the signs in charts mean, once for all charts of a page. */
import { Shape } from "../state.tsx";
import classes from "./chart.module.css";

export function ChartKey() {
  return (
    <ul className={classes.key} aria-label="Signs in the charts">
      <li>
        <span className={`${classes.sign} ${classes.line}`} /> value
      </li>
      <li>
        <span className={`${classes.sign} ${classes.band}`} /> expected
      </li>
      <li>
        <Shape tone="critical" size={10} />
        <Shape tone="high" size={10} />
        <Shape tone="warning" size={10} /> anomaly: Critical, High, below High
      </li>
      <li>
        <span className={`${classes.sign} ${classes.hatched}`} /> no samples
      </li>
      <li>
        <span className={`${classes.sign} ${classes.wash}`} /> incident
      </li>
    </ul>
  );
}
