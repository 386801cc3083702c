/** Name and password. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { login } from "@/api/access.ts";
import { useNow } from "@/live/clock.ts";
import classes from "./login.module.css";
import { type Refusal, refusalOf, waitInWords } from "./refusal.ts";

export function LoginForm({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [refused, setRefused] = useState<(Refusal & { at: number; until: number }) | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const trying = useMutation({
    mutationFn: () => login(name.trim(), password),
    onSuccess: onDone,
    onError: (error) => {
      const refusal = refusalOf(error);
      const at = Date.now();
      setRefused({ ...refusal, at, until: at + refusal.waitMs });
      setPassword("");
      field.current?.focus();
    },
  });
  const isComplete = name.trim() !== "" && password !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isComplete && !trying.isPending && (refused?.until ?? 0) <= Date.now()) trying.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      <TextInput
        label="Name"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        autoFocus
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        ref={field}
      />
      <div role="alert">{refused ? <Refused {...refused} /> : null}</div>
      <Enter isBusy={trying.isPending} isComplete={isComplete} until={refused?.until ?? 0} />
    </form>
  );
}

function Refused({ text, at, until }: { text: string; at: number; until: number }) {
  return (
    <p className={classes.refused}>
      {text} <Countdown at={at} until={until} />
    </p>
  );
}

/** Not read out each second: the first one is, with the refusal. */
function Countdown({ at, until }: { at: number; until: number }) {
  // The clock of the pages is up to a second behind: the wait would begin too long.
  const now = Math.max(useNow(), at);
  return <span aria-live="off">{waitInWords(until, now)}</span>;
}

function Enter({ isBusy, isComplete, until }: { isBusy: boolean; isComplete: boolean; until: number }) {
  const now = useNow();
  return (
    <Button type="submit" disabled={!isComplete || until > now} loading={isBusy}>
      Log in
    </Button>
  );
}
