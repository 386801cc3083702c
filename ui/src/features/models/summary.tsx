/** In one sentence: how many series have models, how old, how many failed, when they are trained again. */
import { When } from "@/components/when.tsx";
import type { Summary } from "./rows.ts";

export function SummaryLine({ summary }: { summary: Summary }) {
  const { total, have, oldest, next, failed, notes } = summary;
  return (
    <p>
      <strong>
        {have} of {total} series have models
      </strong>
      {failed > 0 ? <strong>, {failed} failed</strong> : ", none failed"}.{" "}
      {oldest ? (
        <>
          The oldest is of <When at={oldest.of.model?.trained_at} withAgo />.{" "}
        </>
      ) : null}
      {notes.length > 0 ? `${notes.join(", ")}. ` : ""}
      {next ? (
        <>
          Next training <When at={next} withAgo />.
        </>
      ) : (
        "No training is planned."
      )}
    </p>
  );
}
