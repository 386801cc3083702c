/** Who acts: the session's name, or without access control a name that is asked for once. */
import { Button, Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { me } from "@/api/access.ts";
import { isOperatorName, operatorName, rememberOperator } from "@/api/operator.ts";

interface Operator {
  name: string | null;
  /** Whether changes may be asked for at all. */
  mayChange: boolean;
  /** May reload, and turn shadow mode on and off. */
  isAdmin: boolean;
  hasAccessControl: boolean;
  /** Asks for a name where there is none; null: the person would rather not. */
  named(): Promise<string | null>;
  /** Asks for another name. */
  rename(): void;
}

const Context = createContext<Operator | null>(null);

export function useOperator(): Operator {
  const operator = useContext(Context);
  if (!operator) throw new Error("useOperator needs an <OperatorProvider>");
  return operator;
}

export function OperatorProvider({ children }: { children: ReactNode }) {
  const who = useQuery(me());
  const [given, setGiven] = useState(operatorName);
  const [isAsking, setAsking] = useState(false);
  const waiting = useRef<((name: string | null) => void) | null>(null);

  const answer = useCallback((name: string | null) => {
    setAsking(false);
    if (name) {
      rememberOperator(name);
      setGiven(name);
    }
    waiting.current?.(name);
    waiting.current = null;
  }, []);
  const hasAccessControl = who.data?.auth === "required";
  const name = hasAccessControl ? (who.data?.name ?? null) : given;
  const named = useCallback(() => {
    if (name) return Promise.resolve(name);
    setAsking(true);
    return new Promise<string | null>((resolve) => {
      waiting.current = resolve;
    });
  }, [name]);
  const operator = useMemo(
    () => ({
      name,
      mayChange: who.data ? who.data.role !== "viewer" : true,
      isAdmin: who.data ? who.data.role === "admin" : true,
      hasAccessControl,
      named,
      rename: () => setAsking(true),
    }),
    [name, who.data, hasAccessControl, named],
  );
  return (
    <Context.Provider value={operator}>
      {children}
      <NameDialog opened={isAsking} current={given} onAnswer={answer} />
    </Context.Provider>
  );
}

function NameDialog({
  opened,
  current,
  onAnswer,
}: {
  opened: boolean;
  current: string | null;
  onAnswer: (name: string | null) => void;
}) {
  const [text, setText] = useState(current ?? "");
  const isGood = isOperatorName(text.trim());
  return (
    <Modal opened={opened} onClose={() => onAnswer(null)} title="Your name" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood) onAnswer(text.trim());
        }}
      >
        <TextInput
          label="Name"
          description="What you change is noted under it. There is no access control, so it is taken as given."
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={text && !isGood ? "1 to 64 letters, digits and signs of a plain keyboard" : null}
          data-autofocus
          autoComplete="name"
        />
        <Button type="submit" mt="md" disabled={!isGood}>
          Use this name
        </Button>
      </form>
    </Modal>
  );
}
