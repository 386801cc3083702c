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
  const [refused, setRefused] = useState<(Refusal & { since: number }) | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const trying = useMutation({
    mutationFn: () => login(name.trim(), password),
    onSuccess: onDone,
    onError: (error) => {
      const refusal = refusalOf(error);
      setRefused({ ...refusal, since: Date.now() });
      setPassword("");
      field.current?.focus();
    },
  });
  const until = refused ? refused.since + refused.waitMs : 0;
  const isComplete = name.trim() !== "" && password !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isComplete && !trying.isPending && until <= Date.now()) trying.mutate();
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
      <Enter isBusy={trying.isPending} isComplete={isComplete} until={until} />
    </form>
  );
}

function Refused({ text, since, waitMs }: Refusal & { since: number }) {
  return (
    <p className={classes.refused}>
      {text} <Countdown since={since} until={since + waitMs} />
    </p>
  );
}

/** Not read out each second: the first one is, with the refusal. */
function Countdown({ since, until }: { since: number; until: number }) {
  // The clock of the page may be a second behind.
  const now = Math.max(useNow(), since);
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
