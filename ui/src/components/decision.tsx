/** What was decided of a metric at an instant: verdict, sentences, and the numbers they rest on. */
import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "@/api/client.ts";
import { decisionAt } from "@/api/decisions.ts";
import { amount, range } from "@/lib/amount.ts";
import { useFocusBack } from "@/lib/focus.ts";
import { gapInWords, predictionInWords, scoreInWords, verdictInWords } from "@/lib/words.ts";
import { Copy } from "./copy.tsx";
import classes from "./decision.module.css";
import { Shown } from "./face.tsx";
import { Judges } from "./judges.tsx";
import { Told } from "./told.tsx";
import { When } from "./when.tsx";

interface Props {
  service: string;
  metric: string;
  title: string;
  /** The newest, where it isn't said. */
  at: string | null;
  onClose: () => void;
}

export function DecisionDialog({ service, metric, title, at, onClose }: Props) {
  // What was asked for stays while newer judgements arrive.
  const [asked] = useState(() => ({ service, metric, at: at ?? new Date().toISOString() }));
  const query = useQuery(decisionAt(asked));
  useFocusBack();
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={`Why: ${service}, ${title}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Shown what="the decision" query={query}>
        {(answer) => (answer ? <Answer answer={answer} /> : <p>Nothing is kept of it.</p>)}
      </Shown>
    </Modal>
  );
}

function Answer({ answer }: { answer: Schemas["DecisionAt"] }) {
  const { decision } = answer;
  return (
    <div className={classes.answer}>
      <p className={classes.verdict}>
        <Told text={answer.answer} />
      </p>
      <p className="muted">
        Evaluated <When at={answer.evaluated_at} withAgo />
        {decision ? (
          <>
            ; decided so since <When at={decision.from} />: {verdictInWords(decision.verdict)}
          </>
        ) : null}
        .
      </p>
      {decision ? (
        <>
          <ul className={classes.reasons}>
            {decision.why.slice(decision.why[0] === answer.answer ? 1 : 0).map((line) => (
              <li key={line}>
                <Told text={line} />
              </li>
            ))}
          </ul>
          <Figures decision={decision} unit={answer.unit} />
          <Judges components={decision.components} />
        </>
      ) : null}
      <Copy
        label="copy as a command"
        text={`bellwether why ${answer.service} ${answer.metric} ${answer.at}`}
      />
    </div>
  );
}

function Figures({ decision, unit }: { decision: Schemas["Decision"]; unit: string }) {
  const figures: [string, string | null][] = [
    ["Value", decision.gap ? `none: ${gapInWords(decision.gap)}` : amount(decision.value, unit)],
    ["Expected", range(decision.lower, decision.upper, unit)],
    ["High, Critical", thresholds(decision, unit)],
    ["Prediction", predictionInWords(decision.prediction)],
    ["Score", decision.score === null ? null : scoreInWords(decision.score, decision.score_limit)],
  ];
  return (
    <dl className={classes.figures}>
      {figures.map(([name, figure]) =>
        figure ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{figure}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

function thresholds({ high, critical }: Schemas["Decision"], unit: string): string | null {
  if (high === null && critical === null) return "none are set";
  return `${amount(high, unit)}, ${amount(critical, unit)}`;
}
