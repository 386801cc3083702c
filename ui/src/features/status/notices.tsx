/** Pages that nobody got, and why. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "@/api/client.ts";
import { noticesThatAre } from "@/api/status.ts";
import { Failed, Loading } from "@/components/face.tsx";
import { Older } from "@/components/older.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import rows from "./rows.module.css";
import { noticeInWords } from "./words.ts";

interface Props {
  state: Schemas["NoticeStateWord"];
  title: string;
  none: string;
}

export function Notices({ state, title, none }: Props) {
  const query = useInfiniteQuery(noticesThatAre(state));
  const all = query.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <h3>{title}</h3>
      {all === undefined ? (
        query.isError ? (
          <Failed what="the pages" error={query.error} again={() => void query.refetch()} />
        ) : (
          <Loading what="the pages" />
        )
      ) : all.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <ul className={rows.rows} aria-label={title}>
          {all.map((notice) => (
            <li key={notice.id} className={rows.row}>
              <When at={notice.done_ts ?? notice.created_ts} withAgo />
              <span>to {notice.receiver}</span>
              {notice.incident === null ? (
                <span>{noticeInWords(notice)}</span>
              ) : (
                <Link to="/incidents/$id" params={{ id: String(notice.incident) }}>
                  {noticeInWords(notice)}
                </Link>
              )}
              <span>
                <Told text={notice.why ?? "no reason is recorded"} />
                {notice.attempts > 0 ? `, tried ${notice.attempts + 1} times` : ""}
              </span>
            </li>
          ))}
        </ul>
      )}
      <Older of={query} />
    </>
  );
}
