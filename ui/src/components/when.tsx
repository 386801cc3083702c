/** An instant: local time, UTC on hover, how long ago where it matters. */

import { ago, local, utc } from "@/lib/time.ts";
import { useNow } from "@/live/clock.ts";

interface Props {
  at: string | null | undefined;
  /** How long ago, behind the time. */
  withAgo?: boolean;
  /** How long ago alone. */
  agoOnly?: boolean;
  never?: string;
}

export function When({ at, withAgo = false, agoOnly = false, never = "never" }: Props) {
  const now = useNow();
  if (!at) return <span className="muted">{never}</span>;
  return (
    <time dateTime={at} title={utc(at)}>
      {agoOnly ? ago(at, now) : local(at, now)}
      {withAgo && !agoOnly ? `, ${ago(at, now)}` : null}
    </time>
  );
}
