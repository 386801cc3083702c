/** All keys. */
import { Modal } from "@mantine/core";
import { Fragment } from "react";
import classes from "./shell.module.css";

export const GROUPS: { name: string; keys: [string, string][] }[] = [
  {
    name: "Everywhere",
    keys: [
      ["/", "search pages, services, incidents"],
      ["?", "these keys"],
      ["Esc", "close a dialog or menu"],
    ],
  },
  {
    name: "Go to",
    keys: [
      ["g o", "overview"],
      ["g i", "incidents"],
      ["g l", "logs"],
      ["g m", "models and data"],
      ["g s", "status"],
    ],
  },
  {
    name: "In lists",
    keys: [
      ["j", "next service, incident or line"],
      ["k", "the one before"],
      ["Enter", "open it"],
      ["x", "select the incident"],
    ],
  },
  {
    name: "On incidents",
    keys: [
      ["a", "acknowledge"],
      ["r", "resolve"],
      ["c", "comment"],
    ],
  },
  {
    name: "On a service, in logs",
    keys: [
      ["[", "service before"],
      ["]", "next service"],
      ["e", "next error of the log"],
    ],
  },
];

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" closeButtonProps={{ "aria-label": "Close" }}>
      {GROUPS.map(({ name, keys }) => (
        <section key={name}>
          <h3 className={classes.group}>{name}</h3>
          <table className={classes.keys}>
            <tbody>
              {keys.map(([key, what]) => (
                <tr key={key}>
                  <td>
                    {key.split(" ").map((one, at) => (
                      <Fragment key={one}>
                        {at > 0 ? " then " : null}
                        <kbd>{one}</kbd>
                      </Fragment>
                    ))}
                  </td>
                  <td>{what}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </Modal>
  );
}
