/** How the page is renewed, whether the server is heard, and of when the data is. */
import { Menu } from "@mantine/core";
import { local, utc } from "@/lib/time.ts";
import { MODES, type Mode, modeInWords, useLive } from "@/live/live.tsx";
import { useHeard } from "./connection.ts";
import classes from "./shell.module.css";

const CHOICES: Record<Mode, string> = {
  live: "live, as things happen",
  "2": "every 2 s",
  "5": "every 5 s",
  "10": "every 10 s",
  "30": "every 30 s",
  "60": "every 60 s",
  paused: "paused",
};

export function Freshness() {
  const { mode, setMode, asOf, refresh } = useLive();
  const { silentSince, isWithoutStream } = useHeard();
  const isSilent = silentSince !== null;
  const setting = isWithoutStream ? "stream lost" : modeInWords(mode);
  return (
    <div className={classes.freshness}>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <button
            type="button"
            className="tool"
            aria-label={`Renewal: ${isSilent ? "disconnected" : setting}`}
            title={
              isWithoutStream ? "The live stream is lost; the server is asked every 15 s instead" : undefined
            }
          >
            {isSilent ? <span className={classes.bad}>disconnected</span> : setting}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Renew what is shown</Menu.Label>
          <Menu.RadioGroup
            value={mode}
            onChange={(chosen) => setMode(MODES.find((one) => one === chosen) ?? "live")}
          >
            {MODES.map((one) => (
              <Menu.RadioItem key={one} value={one} closeMenuOnClick>
                {CHOICES[one]}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Item onClick={refresh}>Renew now</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <span
        className={isSilent ? `${classes.bad} ${classes.wide}` : classes.asOf}
        title={asOf === null ? undefined : utc(asOf)}
      >
        {isSilent ? (
          <>
            since {local(silentSince, Date.now())}
            {asOf === null ? null : `, data of ${local(asOf, Date.now())}`}
          </>
        ) : (
          <>
            <span className={classes.wide}>as of </span>
            {asOf === null ? "…" : local(asOf, Date.now())}
          </>
        )}
      </span>
      <button type="button" className={`tool ${classes.wide}`} onClick={refresh}>
        Renew
      </button>
      <span className="visually-hidden" role="status">
        {isSilent ? "Disconnected: Bellwether does not answer" : ""}
      </span>
    </div>
  );
}
