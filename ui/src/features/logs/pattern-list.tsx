/** What the log says that it did not say before; a pattern filters the lines. */
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/api/client.ts";
import { logPatterns } from "@/api/logs.ts";
import { Shown } from "@/components/face.tsx";
import { Told } from "@/components/told.tsx";
import { counted, number } from "@/lib/amount.ts";
import classes from "./pattern-list.module.css";
import { changeInWords, longestConstant, type Pattern } from "./patterns.ts";
import type { patternsQuestionOf } from "./question.ts";

interface Props {
  question: ReturnType<typeof patternsQuestionOf>;
  searched: string;
  onOnly: (text: string) => void;
}

export function PatternList({ question, searched, onOnly }: Props) {
  const query = useQuery(logPatterns(question));
  return (
    <section className={classes.patterns} aria-labelledby="patterns">
      <h2 id="patterns">Patterns, against the time before</h2>
      <Shown what="the patterns" query={query}>
        {(answer) => <Answer answer={answer} searched={searched} onOnly={onOnly} />}
      </Shown>
    </section>
  );
}

function Answer({
  answer,
  searched,
  onOnly,
}: { answer: Schemas["LogPatterns"] } & Pick<Props, "searched" | "onOnly">) {
  if (answer.items.length === 0) {
    return (
      <p className="muted">
        <Told text={answer.answer} />
      </p>
    );
  }
  return (
    <>
      <ul className={classes.list}>
        {answer.items.map((pattern) => (
          <Row
            key={`${pattern.id} ${pattern.service}`}
            pattern={pattern}
            searched={searched}
            onOnly={onOnly}
          />
        ))}
      </ul>
      {answer.omitted > 0 ? <p className="muted">{counted(answer.omitted, "more pattern")} moved.</p> : null}
      <details className={classes.how}>
        <summary>How they are compared</summary>
        <p>{answer.text}</p>
      </details>
    </>
  );
}

function Row({ pattern, searched, onOnly }: { pattern: Pattern } & Pick<Props, "searched" | "onOnly">) {
  const text = longestConstant(pattern.template);
  const isOnly = text !== "" && searched === text;
  return (
    <li>
      <button
        type="button"
        className={classes.pattern}
        aria-pressed={isOnly}
        disabled={text === ""}
        title={pattern.text}
        onClick={() => onOnly(isOnly ? "" : text)}
      >
        <span className={classes.facts}>
          <span className={pattern.change === "new" ? classes.new : classes.change}>
            {changeInWords(pattern)}
          </span>
          <span className={classes[pattern.level]}>{pattern.level}</span>
          <span className={classes.counts}>
            {number(pattern.lines_during)} now, {number(pattern.lines_before)} before
          </span>
        </span>
        <code className={classes.template}>{pattern.template}</code>
      </button>
    </li>
  );
}
