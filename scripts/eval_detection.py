"""The table of `make eval-detection`, from what the scoring scripts have printed.

    python3 eval_detection.py kinds INDEX ["DS DS"]   # of series and entity those that are scored
    python3 eval_detection.py table FOLDER COMMIT     # needs pandas
    python3 eval_detection.py figures FOLDER          # ours against the bars: what, figure, bar, verdict; tabs between

FOLDER has NAME.series.txt and NAME.entity.txt as score.py prints them, NAME.series.csv with its row for each series,
incidents.txt as incidents.py prints it, and run.txt. MACRO is the mean over data sets. Intervals are 90 % bootstrap
intervals of MACRO: within each data set the files are drawn again, 1,000 times, with a fixed seed.
"""

import csv
import datetime
import pathlib
import re
import sys

OURS = "Bellwether"
MACRO = ["NAB", "MSCM", "AIOPS", "SMD"]
DRAWS = 1_000
# score.py's column, and how it is called here.
SERIES = [
    ("evF1", "event-F1"),
    ("FA/series/day", "false per series-day"),
    ("FA@R.8", "FA@R.8"),
    ("VUS-PR", "VUS-PR"),
    ("AUC-PR", "AUC-PR"),
]


def kinds(index, data_sets):
    """series also where machines are, of which score.py scores single metrics."""
    with open(index, newline="") as file:
        rows = [row for row in csv.DictReader(file) if not data_sets or row["ds"] in data_sets]
    found = {row["kind"] for row in rows}
    if any(row["ds"] == "SMD" for row in rows):
        found.add("series")
    return [kind for kind in ("series", "entity") if kind in found]


def read(path):
    """What score.py printed: a row of figures for each data set and MACRO, and NAB's score."""
    text = path.read_text()
    lines = text.splitlines()
    names = lines[0].replace("data set", "ds", 1).split()
    table = {}
    for line in lines[1:]:
        fields = line.split()
        if len(fields) != len(names):
            break
        table[fields[0]] = {name: number(field) for name, field in zip(names[1:], fields[1:])}
    found = re.findall(r"^NAB standard, \d+ (real files|real and artificial files):.*onsets\) (\S+)$", text, re.M)
    return table, {files: float(score) for files, score in found}


def number(field):
    try:
        return float(field)
    except ValueError:
        return float("nan")


def shown(value, digits=3):
    if value is None or value != value:
        return "–"
    text = f"{value:.{digits}f}"
    return re.sub(r"^(-?)0\.", r"\1.", text) if digits > 1 else text


def markdown(heading, rows):
    yield "| " + " | ".join(heading) + " |"
    yield "| " + " | ".join(["---"] * len(heading)) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def intervals(path, data_sets):
    """The 5th and 95th percentile of MACRO over files drawn again."""
    import numpy as np
    import pandas as pd

    rows = pd.read_csv(path)
    groups = [rows[rows.ds == name] for name in data_sets if (rows.ds == name).any()]
    random = np.random.default_rng(0)

    def macro():
        each = []
        for group in groups:
            drawn = group.iloc[random.integers(0, len(group), len(group))]
            true, false, found, events = (drawn[c].sum() for c in ("tp", "fp", "det", "events"))
            precision, recall = true / max(1, true + false), found / max(1, events)
            f1 = 2 * precision * recall / max(1e-9, precision + recall)
            vus, auc = (drawn[c].mean() if c in drawn else float("nan") for c in ("vus_pr", "auc_pr"))
            each.append([f1, false / max(1e-9, drawn.days.sum()), vus, auc])
        return np.nanmean(each, axis=0)

    low, high = np.quantile([macro() for _ in range(DRAWS)], [0.05, 0.95], axis=0)
    names = ["evF1", "FA/series/day", "VUS-PR", "AUC-PR"]
    return {name: f"{shown(l)} to {shown(h)}" for name, l, h in zip(names, low, high)}


def left_out(table, data_sets):
    """MACRO without each data set in turn."""
    for name in data_sets:
        others = [table[other] for other in data_sets if other != name]
        if others:
            mean = lambda column: sum(row[column] for row in others) / len(others)
            yield [f"without {name}"] + [shown(mean(column)) for column, _ in SERIES]


def of_series(folder, methods):
    """The table of all methods on single series, and what is more to say of ours."""
    rows = []
    for name, (table, nab) in methods.items():
        macro = table.get("MACRO", {})
        figures = [shown(macro.get(column)) for column, _ in SERIES]
        figures += [shown(nab.get(files), 1) for files in ("real and artificial files", "real files")]
        rows.append([name, *figures])
    heading = ["method", *(name for _, name in SERIES), "NAB, all files", "NAB, real files"]
    yield from markdown(heading, rows)
    if OURS not in methods:
        return
    table = methods[OURS][0]
    present = [name for name in MACRO if name in table]
    yield ""
    yield f"MACRO is the mean of {', '.join(present)}. By data set, and MACRO with each left out:"
    yield ""
    each = [[name, *(shown(row.get(column)) for column, _ in SERIES)] for name, row in table.items() if name != "MACRO"]
    yield from markdown(["Bellwether", *(name for _, name in SERIES)], each + list(left_out(table, present)))
    between = intervals(folder / f"{OURS}.series.csv", present)
    yield ""
    yield "90 % bootstrap intervals of MACRO: " + ", ".join(
        f"{name} {between[column]}" for column, name in SERIES if column in between
    ) + "."


def of_entities(methods):
    names = list(next(iter(methods.values()))[0])
    heading = ["method", *(f"{name}: F1 (false per entity-day)" for name in names)]
    rows = []
    for name, (table, _) in methods.items():
        cells = (table.get(data_set, {}) for data_set in names)
        rows.append([name, *(f"{shown(c.get('evF1'))} ({shown(c.get('FA/series/day'))})" for c in cells)])
    yield from markdown(heading, rows)


def report(folder, commit):
    def methods(kind):
        paths = sorted(folder.glob(f"*.{kind}.txt"), key=lambda path: (path.name.split(".")[0] != OURS, path.name))
        return {path.name.split(".")[0]: read(path) for path in paths}

    series, entities = methods("series"), methods("entity")
    yield "# Detection, measured"
    yield ""
    yield f"Made by `make eval-detection` on {datetime.date.today()} at commit {commit}."
    yield (folder / "run.txt").read_text().strip().splitlines()[-1].split(";")[0] + "."
    if series:
        yield "\n## Single series\n"
        yield from of_series(folder, series)
    if entities:
        yield "\n## Whole entities\n"
        yield from of_entities(entities)
    yield "\n## Incidents\n"
    yield "```\n" + (folder / "incidents.txt").read_text().strip() + "\n```"


def figures(folder):
    """The rows of what is required, as scripts/show_detector.sh prints them."""
    table, nab = read(folder / f"{OURS}.series.txt")
    missing = [name for name in MACRO if name not in table]
    # A mean of fewer data sets is not what the bars are for.
    macro = {} if missing else table["MACRO"]
    of = f"; {', '.join(missing)} not scored" if missing else ""
    f1, false = macro.get("evF1"), macro.get("FA/series/day")
    yield row(
        f"event-F1 (false per series-day){of}", f"{shown(f1)} ({shown(false)})", ">= .55 (<= .2)",
        at_least(f1, 0.55), at_most(false, 0.2),
    )  # fmt: skip
    vus, auc = macro.get("VUS-PR"), macro.get("AUC-PR")
    yield row(
        f"VUS-PR / AUC-PR{of}", f"{shown(vus)} / {shown(auc)}", ">= .47 / .45",
        at_least(vus, 0.47), at_least(auc, 0.45),
    )  # fmt: skip
    recall = macro.get("FA@R.8")
    yield row(f"false per series-day at an event recall of .8{of}", shown(recall), "<= .60", at_most(recall, 0.6))
    score = nab.get("real and artificial files")
    yield row("NAB standard, real and artificial files, as decided", shown(score, 1), ">= 60", at_least(score, 60))
    macro = read(folder / f"{OURS}.entity.txt")[0].get("MACRO", {}) if (folder / f"{OURS}.entity.txt").exists() else {}
    f1, false = macro.get("evF1"), macro.get("FA/series/day")
    yield row(
        "entity episodes, F1 (false per entity-day)", f"{shown(f1)} ({shown(false)})", ">= .57 (<= .2)",
        at_least(f1, 0.57), at_most(false, 0.2),
    )  # fmt: skip
    found, faults, false, days = of_pods((folder / "incidents.txt").read_text())
    recall, rate = (found / faults, false / days) if faults and days else (None, None)
    yield row(
        "NEZHA, CPU faults found at the pod; false per pod-day",
        f"{shown(recall, 2)} of {faults}; {shown(rate, 1)}", ">= .90; <= 8", at_least(recall, 0.9), at_most(rate, 8),
    )  # fmt: skip


def of_pods(text):
    """Over all systems that incidents.py printed: CPU faults found, CPU faults, false alarms and pod-days."""
    totals = [0, 0, 0, 0]
    pattern = (
        r"^pods of \S+: (\d+), faults .*\bcpu (\S+) of (\d+).*"
        r"; alarms outside fault windows (\d+), \S+/pod/day \((\S+) h\)$"
    )
    for pods, share, faults, false, hours in re.findall(pattern, text, re.M):
        sums = (round(float(share) * int(faults)), int(faults), int(false), int(pods) * float(hours) / 24)
        totals = [total + more for total, more in zip(totals, sums)]
    return totals


def at_least(value, bar):
    return None if value is None or value != value else value >= bar


def at_most(value, bar):
    return None if value is None or value != value else value <= bar


def row(what, figure, bar, *held):
    verdict = "not run" if None in held else "pass" if all(held) else "short"
    return "\t".join((what, figure, bar, verdict))


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == "kinds":
        print(" ".join(kinds(sys.argv[2], " ".join(sys.argv[3:]).split())))
    elif len(sys.argv) == 4 and sys.argv[1] == "table":
        print("\n".join(report(pathlib.Path(sys.argv[2]), sys.argv[3])))
    elif len(sys.argv) == 3 and sys.argv[1] == "figures":
        print("\n".join(figures(pathlib.Path(sys.argv[2]))))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
