/** Asks whether to train, and of what; the job goes on after the answer. */
import { Button, Modal, NativeSelect } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { retrain } from "@/api/training.ts";
import { useToast } from "@/components/toasts.tsx";
import { counted } from "@/lib/amount.ts";
import { useOperator } from "@/operating/operator.tsx";
import type { ModelRow } from "./rows.ts";
import classes from "./train.module.css";

export interface Selection {
  service: string;
  metric: string;
}

interface Props {
  /** What is proposed; null while the dialog is closed. */
  proposed: Selection | null;
  rows: ModelRow[];
  onClose: () => void;
}

export function TrainDialog({ proposed, rows, onClose }: Props) {
  return (
    <Modal opened={proposed !== null} onClose={onClose} title="Retrain models" centered>
      {proposed ? (
        <Form
          key={`${proposed.metric} ${proposed.service}`}
          proposed={proposed}
          rows={rows}
          onClose={onClose}
        />
      ) : null}
    </Modal>
  );
}

function Form({ proposed, rows, onClose }: { proposed: Selection } & Omit<Props, "proposed">) {
  const [service, setService] = useState(proposed.service);
  const metric = proposed.metric;
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();
  const training = useMutation({
    mutationFn: () => retrain({ service: service || undefined, metric: metric || undefined }),
    onSuccess: (job) => {
      toast({
        text: job.trigger === "request" ? "Training begins" : "A training that covers this runs already",
      });
      onClose();
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const services = [...new Set(rows.map((row) => row.service))].toSorted((one, other) =>
    one.localeCompare(other),
  );
  const count = rows.filter(
    (row) => (!service || row.service === service) && (!metric || row.metric === metric),
  ).length;
  const train = async () => {
    if (await operator.named()) training.mutate();
  };
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        void train();
      }}
    >
      {metric ? (
        <p>
          The model of <strong>{service}</strong>,{" "}
          {rows.find((row) => row.metric === metric)?.title ?? metric}.
        </p>
      ) : (
        <NativeSelect
          label="Of"
          data={[{ value: "", label: "all services" }, ...services]}
          value={service}
          onChange={(event) => setService(event.currentTarget.value)}
        />
      )}
      <p>
        {counted(count, "model")} will be trained from the datasets as they are now. Each stays in use until
        the new one is ready, and is kept where the new one would be worse.
      </p>
      {training.error ? (
        <p role="alert" className={classes.error}>
          {training.error.message}
        </p>
      ) : null}
      <div className={classes.buttons}>
        <Button type="submit" loading={training.isPending} data-autofocus>
          Retrain
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
