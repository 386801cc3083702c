/** The log-in: where one has to show who one is before anything is shown. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { logout, type Me, me } from "@/api/access.ts";
import { Problem } from "@/api/client.ts";
import { Failed, Loading } from "@/components/face.tsx";
import { LoginForm } from "@/features/login/form.tsx";
import classes from "@/features/login/login.module.css";
import { pathOf } from "@/features/login/next.ts";

const route = getRouteApi("/login");

export function LoginPage() {
  const { next } = route.useSearch();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const asked = me().queryKey;
  // Who was logged in when this page was come to: the session has ended since.
  const [before] = useState(() => queries.getQueryData<Me>(asked));
  const who = useQuery({ ...me(), staleTime: 0, refetchOnMount: "always" });
  const isStranger = who.error instanceof Problem && who.error.status === 401;

  const enter = async () => {
    queries.clear();
    await navigate({ href: pathOf(next), replace: true });
  };
  return (
    <main className={classes.page}>
      <p className={classes.name}>Bellwether</p>
      {isStranger ? (
        <>
          <h1>Log in</h1>
          <p className={classes.lead}>
            {before?.auth === "required" && next !== undefined
              ? "Your session has ended; log in to go on."
              : "This server shows its pages to those who log in."}
          </p>
          <LoginForm onDone={() => void enter()} />
        </>
      ) : who.isFetching || who.isPending ? (
        who.isError ? null : (
          <Loading what="the log-in" />
        )
      ) : who.isError ? (
        <Failed what="the log-in" error={who.error} again={() => void who.refetch()} />
      ) : (
        <Known who={who.data} onEnter={() => void enter()} />
      )}
    </main>
  );
}

/** Nobody has to log in, or one is logged in already. */
function Known({ who, onEnter }: { who: Me; onEnter: () => void }) {
  const queries = useQueryClient();
  const leaving = useMutation({
    mutationFn: logout,
    onSuccess: () => queries.resetQueries({ queryKey: me().queryKey }),
  });
  if (who.auth === "none") {
    return (
      <>
        <h1>Nobody has to log in here</h1>
        <p className={classes.lead}>
          This server has no access control: whoever reaches it may see and do everything. What you change is
          noted under a name that you give.
        </p>
        <Button onClick={onEnter}>Go on</Button>
      </>
    );
  }
  return (
    <>
      <h1>You are logged in as {who.name}</h1>
      <p className={classes.lead}>Go on, or log out to come back as somebody else.</p>
      <div className={classes.row}>
        <Button onClick={onEnter}>Go on</Button>
        <Button variant="default" loading={leaving.isPending} onClick={() => leaving.mutate()}>
          Log out
        </Button>
      </div>
      {leaving.isError ? <p className={classes.refused}>Still logged in: {leaving.error.message}</p> : null}
    </>
  );
}
