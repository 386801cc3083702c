#!/usr/bin/env python3
"""Recomputes from the datasets what `bellwether why` answered, sharing no code with it.

    scripts/check_why.py DATA_DIR ANSWERS --tick 15 --thresholds cpu=85:95 --thresholds lat=1000:3000

ANSWERS has one line for each moment: what `bellwether why SERVICE METRIC TIME --json` printed. For
each, the rows of DATA_DIR/datasets/SERVICE/{history,anomaly}/METRIC.csv must give the same row,
severity, features, place in the band, limits of the score and verdict, by the formulas of
docs/how-it-decides.md. Numbers may differ by one part in a billion.

It is meant for moments at which no incident fired on the service, and for series that were live
for longer than the rolling window before; metrics have the direction up. Prints a line for each
moment, then how many agree; ends with 1 if one doesn't. Needs Python 3.8 and nothing else.
"""

import argparse
import csv
import datetime
import json
import math
import os
import sys

TOLERANCE = 1e-9
WINDOW_SECONDS = 300
WINDOW_STEPS = 20
WINDOW_MIN_SAMPLES = 5
GAP_STEPS = 2.5
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def millis(text):
    """RFC 3339 as milliseconds since the epoch."""
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((time - EPOCH) / datetime.timedelta(milliseconds=1))


def number(cell):
    return None if cell == "" else float(cell)


class Row:
    def __init__(self, cells, part):
        self.time = millis(cells["timestamp"])
        self.part = part
        self.value = float(cells["value"])
        self.severity = cells["severity"]
        self.prediction = cells["prediction"]
        names = ("score", "delta", "rolling_mean", "rolling_std", "zscore")
        self.numbers = {name: number(cells[name]) for name in names}
        self.band = [number(cells[name]) for name in ("expected", "lower", "upper")]


def read_series(data_dir, service, metric):
    """The rows of both files, oldest first; of two of one time that of anomaly."""
    rows = {}
    for part in ("history", "anomaly"):
        folder = os.path.join(data_dir, "datasets", service.replace("/", "%2F"), part)
        path = os.path.join(folder, metric + ".csv")
        if os.path.exists(path):
            with open(path, newline="", encoding="utf-8") as file:
                for cells in csv.DictReader(file):
                    row = Row(cells, part)
                    rows[row.time] = row
    return [rows[time] for time in sorted(rows)]


def all_times(data_dir):
    """Every time at which any series has a row."""
    times = set()
    root = os.path.join(data_dir, "datasets")
    for folder, _, files in os.walk(root):
        for name in files:
            if name.endswith(".csv"):
                with open(os.path.join(folder, name), newline="", encoding="utf-8") as file:
                    times.update(millis(cells["timestamp"]) for cells in csv.DictReader(file))
    return times


def severity_of(value, thresholds):
    high, critical = thresholds
    if value >= critical:
        return "Critical"
    return "High" if value >= high else "Normal"


def features_of(rows, index, step):
    """delta, rolling_mean, rolling_std, zscore of a row; None right after a gap or warming up."""
    row, before = rows[index], rows[max(0, index - 720):index]
    if not before:
        return None
    newest = [r.time for r in before[-4:]]
    if len(newest) == 4:
        step = max(step, sorted(b - a for a, b in zip(newest, newest[1:]))[1])
    if row.time - before[-1].time > GAP_STEPS * step:
        return None
    since = row.time - max(WINDOW_SECONDS * 1000, WINDOW_STEPS * step)
    window = [r.value for r in before if r.time >= since]
    if len(window) < WINDOW_MIN_SAMPLES:
        return None
    mean = math.fsum(window) / len(window)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in window) / len(window))
    zscore = (row.value - mean) / max(std, 0.001 * max(abs(mean), 0.001))
    return {
        "delta": row.value - before[-1].value,
        "rolling_mean": mean,
        "rolling_std": std,
        "zscore": max(-50.0, min(50.0, zscore)),
    }


def limits_of(step, budget):
    """Single and persistent limit, and how many of how many samples persistence needs."""
    a_day = 86_400_000 / step
    single = -math.log10(min(5 * budget / a_day, 0.005))
    persistent = -math.log10(min(50 * budget / a_day, 0.02))
    of = max(6, min(24, math.ceil(360_000 / step)))
    return {
        "score_needed_once": single,
        "score_needed_often": persistent,
        "often_needed": of * 2 // 3,
        "often_of": of,
    }


def verdict_of(rows, index, settings, thresholds):
    """What the rule makes of all rows up to one: the verdict, and since when it has been so."""
    crossing = qualified = critical = judged = None
    for row in rows[:index + 1]:
        # The tick that judged it: the first one at or after its time.
        tick = -(-row.time // settings.tick) * settings.tick
        if judged is not None and tick - judged > settings.quiet_period:
            crossing = qualified = critical = None
        judged = tick
        severity = severity_of(row.value, thresholds)
        anomalous = row.prediction == "Anomaly"
        if severity == "Normal":
            crossing = qualified = critical = None
        else:
            crossing = tick if crossing is None else crossing
            qualified = (tick if qualified is None else qualified) if anomalous else None
            critical = (tick if critical is None else critical) if severity == "Critical" else None
    if qualified is not None and judged - qualified >= settings.open_after:
        return "opened", None
    if critical is not None and judged - critical >= settings.critical_after:
        return "opened", None
    if qualified is not None:
        return "waiting", qualified
    if crossing is not None:
        return "crossing_without_anomaly", crossing
    if rows[index].prediction == "Anomaly":
        return "anomaly_without_crossing", None
    return "calm", None


class Check:
    """The differences of one answer."""

    def __init__(self):
        self.differences = []

    def same(self, what, answered, computed):
        if answered != computed:
            self.differences.append(f"{what}: answered {answered}, computed {computed}")

    def close(self, what, answered, computed):
        if answered is None or computed is None:
            return self.same(what, answered, computed)
        if abs(answered - computed) > TOLERANCE * max(1.0, abs(answered), abs(computed)):
            self.differences.append(f"{what}: answered {answered!r}, computed {computed!r}")
        return None


def time_of(view, name):
    return millis(view[name]) if view.get(name) else None


def check_row(check, answer, row, computed):
    """The answer's row and decision against a row of the file and what follows from it."""
    view, decision = answer["row"] or {}, answer["decision"]
    check.same("row.timestamp", time_of(view, "timestamp"), row.time)
    check.same("row.part", view.get("part"), row.part)
    check.same("decision.sample_ts", time_of(decision, "sample_ts"), row.time)
    for name, side in (("row", view), ("decision", decision)):
        check.close(f"{name}.value", side.get("value"), row.value)
        check.same(f"{name}.severity", side.get("severity"), computed["severity"])
        check.same(f"{name}.prediction", side.get("prediction"), row.prediction)
        check.close(f"{name}.score", side.get("score"), row.numbers["score"])
        for bound, value in zip(("expected", "lower", "upper"), row.band):
            check.close(f"{name}.{bound}", side.get(bound), value)
    check.same("severity in the file", row.severity, computed["severity"])
    features, answered = computed["features"], view.get("features")
    check.same("has features", answered is not None, features is not None)
    for feature in features or {}:
        check.close(f"row.{feature}", (answered or {}).get(feature), features[feature])
        check.close(f"{feature} in the file", row.numbers[feature], features[feature])
    if row.band[0] is not None:
        _, lower, upper = row.band
        place = "above" if row.value > upper else "below" if row.value < lower else "within"
        said = [p for p in ("above", "below", "within") if any(
            sentence.startswith(f"it is {p} the band") for sentence in decision["why"])]
        check.same("place in the band", said, [place])
        check_components(check, decision, row, computed["rows"])
    if row.numbers["score"] is not None:
        for name, limit in computed["limits"].items():
            check.close(name, decision.get(name), limit)


def deviations(row):
    """Robust deviations from expected: the band's bounds lie three of them away."""
    expected, _, upper = row.band
    return max(0.0, row.value - expected) / ((upper - expected) / 3)


def check_components(check, decision, row, rows):
    """Whether the band spoke up then, and its statistic at the decision's first sample."""
    band = [one for one in decision["components"] if one["name"] == "band"]
    if row.numbers["score"] is None:
        return check.same("components", decision["components"], [])
    check.same("components", sorted(c["name"] for c in decision["components"]), ["band", "forest"])
    check.same("the band speaks", [one["speaks"] for one in band], [row.value >= row.band[2]])
    first = [r for r in rows if r.time == time_of(decision, "components_ts")]
    check.same("rows at components_ts", len(first), 1)
    for one, other in zip(band, first):
        check.close("the band's statistic", one["statistic"], deviations(other))
    return None


def check_moment(answer, settings, times):
    """The differences of one answer, its verdict as computed, and the row it rests on."""
    check = Check()
    service, metric = answer["service"], answer["metric"]
    rows = read_series(settings.data_dir, service, metric)
    thresholds = settings.thresholds[metric]
    step = settings.step
    tick = millis(answer["at"]) // settings.tick * settings.tick
    check.same("evaluated_at", time_of(answer, "evaluated_at"), tick)
    # A tick at which no series has a new row was skipped: the one before still holds.
    skipped = 0
    while skipped < 2 and not any(t in times for t in range(tick - step + 1, tick + 1)):
        tick -= settings.tick
        skipped += 1
    index = max((i for i, row in enumerate(rows) if row.time <= tick), default=None)
    decision = answer["decision"]
    if decision is None:
        check.differences.append("there is no decision")
        return check.differences, "none", None
    check.same("decision holds then", time_of(decision, "from") <= tick, True)
    high, critical = thresholds
    check.close("high", decision["high"], high)
    check.close("critical", decision["critical"], critical)
    if index is None or tick - rows[index].time >= step:
        check.same("verdict", decision["verdict"], "no_sample")
        check.same("severity", decision["severity"], "Unavailable")
        check.same("prediction", decision["prediction"], "Unknown")
        check.same("value", decision["value"], None)
        check.same("row", answer["row"], None)
        check.same("gap is named", bool(decision["gap"]), True)
        return check.differences, "no_sample", None
    row = rows[index]
    computed = {
        "rows": rows,
        "severity": severity_of(row.value, thresholds),
        "features": features_of(rows, index, step),
        "limits": limits_of(step, settings.alarm_budget),
    }
    check_row(check, answer, row, computed)
    verdict, since = verdict_of(rows, index, settings, thresholds)
    check.same("verdict", decision["verdict"], verdict)
    check.same("since", time_of(decision, "since"), since)
    check.same("incident", decision["incident"], None)
    if decision["model_trained_at"]:
        age = (tick - millis(decision["model_trained_at"])) // 1000
        check.same("model_age_seconds", decision["model_age_seconds"], age)
    return check.differences, verdict, row


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Durations are in seconds.",
    )
    parser.add_argument("data_dir")
    parser.add_argument("answers", help="one answer of `bellwether why … --json` on each line")
    parser.add_argument("--thresholds", action="append", required=True, metavar="METRIC=HIGH:CRITICAL")
    parser.add_argument("--tick", type=float, default=15)
    parser.add_argument("--step", type=float, help="the distance of samples [default: the tick]")
    parser.add_argument("--open-after", type=float, default=30)
    parser.add_argument("--critical-after", type=float, default=120)
    parser.add_argument("--quiet-period", type=float, default=300)
    parser.add_argument("--alarm-budget", type=float, default=0.2)
    settings = parser.parse_args()
    pairs = (text.partition("=") for text in settings.thresholds)
    settings.thresholds = {
        metric: tuple(float(limit) for limit in limits.split(":")) for metric, _, limits in pairs
    }
    settings.step = settings.step or settings.tick
    for name in ("tick", "step", "open_after", "critical_after", "quiet_period"):
        setattr(settings, name, round(getattr(settings, name) * 1000))
    return settings


def main():
    settings = arguments()
    times = all_times(settings.data_dir)
    with open(settings.answers, encoding="utf-8") as file:
        answers = [json.loads(line) for line in file if line.strip()]
    agree = past_high = anomalous = 0
    for place, answer in enumerate(answers, 1):
        differences, verdict, row = check_moment(answer, settings, times)
        agree += not differences
        past_high += row is not None and row.value >= settings.thresholds[answer["metric"]][0]
        anomalous += row is not None and row.prediction == "Anomaly"
        value = "no value" if row is None else f"{row.value:.6g} {row.prediction}"
        found = "agrees" if not differences else "DIFFERS: " + "; ".join(differences)
        print(f"{place:3} {answer['service']} {answer['metric']} {answer['at']} {value} {verdict}: {found}")
    print(f"{past_high} past High, {anomalous} anomalous")
    print(f"{agree} of {len(answers)} agree")
    return 0 if answers and agree == len(answers) else 1


if __name__ == "__main__":
    sys.exit(main())
