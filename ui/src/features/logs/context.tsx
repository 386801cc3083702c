/** What stands before and after a line, whatever was searched for. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type LogLine, logLines } from "@/api/logs.ts";
import { Failed, Loading } from "@/components/face.tsx";
import { useNow } from "@/live/clock.ts";
import { NEIGHBOURS, neighbourQuestions, neighbours } from "./around.ts";
import classes from "./context.module.css";
import { exactly, exactlyUtc } from "./told.ts";

export function Context({ line, service }: { line: LogLine; service: string }) {
  const questions = neighbourQuestions(service, line);
  // Several lines may have the same millisecond.
  const limit = 4 * NEIGHBOURS;
  const before = useInfiniteQuery(logLines(questions.before, limit));
  const after = useInfiniteQuery(logLines(questions.after, limit));
  const failed = before.error ?? after.error;
  if (failed) return <Failed what="the lines around" error={failed} />;
  if (!before.data || !after.data) return <Loading what="the lines around" />;
  const found = neighbours(line, before.data.pages[0]?.items ?? [], after.data.pages[0]?.items ?? []);
  return (
    <ol className={classes.context} aria-label="Lines before and after">
      {found.before.length === 0 ? <li className="muted">no line in the ten minutes before</li> : null}
      {found.before.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place.
        <Neighbour key={`before ${at}`} line={one} />
      ))}
      <Neighbour line={line} isItself />
      {found.after.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place.
        <Neighbour key={`after ${at}`} line={one} />
      ))}
      {found.after.length === 0 ? <li className="muted">no line in the ten minutes after</li> : null}
    </ol>
  );
}

function Neighbour({ line, isItself = false }: { line: LogLine; isItself?: boolean }) {
  const now = useNow();
  return (
    <li className={isItself ? classes.itself : undefined} aria-current={isItself ? "true" : undefined}>
      <time dateTime={line.time} title={exactlyUtc(line.time)}>
        {exactly(line.time, now)}
      </time>{" "}
      {line.level} {line.message}
    </li>
  );
}
