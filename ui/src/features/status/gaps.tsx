/** How often a series had no usable sample since the start, by reason. */
import type { Status } from "@/api/status.ts";
import { number } from "@/lib/amount.ts";
import { sentence } from "./part.ts";

export function Gaps({ gaps }: { gaps: Status["gaps"] }) {
  const counted = gaps.filter(({ count }) => count > 0).toSorted((one, other) => other.count - one.count);
  if (counted.length === 0)
    return <p className="muted">Every series had a usable sample at every tick since the start.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" className="number">
            Samples since the start
          </th>
        </tr>
      </thead>
      <tbody>
        {counted.map(({ reason, detail, count }) => (
          <tr key={reason}>
            <td>
              {sentence(detail)} <code className="muted">{reason}</code>
            </td>
            <td className="number">{number(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
