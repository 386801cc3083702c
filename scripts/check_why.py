#!/usr/bin/env python3
"""Recomputes from the datasets what `bellwether why` answered, sharing no code with it.

    scripts/check_why.py DATA_DIR ANSWERS --tick 15 --thresholds cpu=85:95 --minimum-deviation cpu=10

ANSWERS has one line for each moment: what `bellwether why SERVICE METRIC TIME --json` printed. For
each, the rows of DATA_DIR/datasets/SERVICE/{history,anomaly}/METRIC.csv must give the same row,
severity, features, place in the band, limit of the score, prediction with its reason, and verdict,
by the formulas of docs/how-it-decides.md. Numbers may differ by one part in a billion.

What the judges remember is not in the datasets. Their rarities are taken as answered, and must make
the score that the file has, together with the score of the row before; where only those who spoke
up are known, the score must lie within what they leave open. The same holds for what is unlike its
time of day for minutes.

It is meant for series on which no incident fired before the moment, that were live for longer than
the rolling window, with a training window not longer than `training.window`; metrics have the
direction up. Prints a line for each moment, then how many agree; ends with 1 if one doesn't. Needs
Python 3.8 and nothing else.
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
DAY = 86_400_000
RARITY_MAX = 8.0
SPEAKS_FROM = 3.0
SHARE_OF_NEWEST = 0.6
JUDGES = {
    "forest": "isolation forest",
    "level": "recent level",
    "season": "time of day",
    "nearest_short": "nearest short stretch",
    "nearest_long": "nearest long stretch",
    "pattern": "usual shapes",
}
OFF_SEASON = 2.5
OFF_SEASON_HALF_LIFE = 180_000
ODD_FROM = 0.5
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


class Series:
    """The rows of a series, with what its metric is held against."""

    def __init__(self, answer, settings):
        metric = answer["metric"]
        self.rows = read_series(settings.data_dir, answer["service"], metric)
        self.unit = answer["unit"]
        self.thresholds = settings.thresholds[metric]
        self.minimum = settings.minimum_deviation[metric]
        self.step = settings.step
        self.known = {}

    def features(self, index):
        if index not in self.known:
            self.known[index] = features_of(self.rows, index, self.step)
        return self.known[index]


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


def limit_of(step, budget):
    """From which score on a sample is an anomaly."""
    return max(0.5, 2.05 + 0.4 * math.log10(DAY / step / 1_440 * 0.2 / budget))


def score_before(series, index):
    """What the score of a row was smoothed with; None if the file doesn't have it."""
    if index == 0 or series.features(index - 1) is None:
        return 0.0
    return series.rows[index - 1].numbers["score"]


def is_outside(row):
    _, lower, upper = row.band
    return row.value < lower or row.value > upper


def episode_before(rows, index, step):
    """The first anomaly of the episode under way before a row."""
    first = newest = None
    for row in rows[:index]:
        if row.prediction == "Unknown":
            continue
        if first is not None and row.time - newest > max(300_000, 2 * step):
            first = None
        if row.prediction == "Anomaly" or (first is not None and is_outside(row)):
            first = row.time if first is None else first
            newest = row.time
    return first


def extremes_of(series, trained_at):
    """The lowest and the highest value of the rows that training saw, and from when to when."""
    seen = [i for i, row in enumerate(series.rows) if row.time <= trained_at]
    values = [series.rows[i].value for i in seen if series.features(i) is not None]
    return min(values), max(values), series.rows[seen[-1]].time - series.rows[seen[0]].time


def reasons_of(series, index, settings, decision):
    """The prediction for a row and what its reason must say, by the first rule that holds.

    More than one where its rarity for the time of day isn't told, or may have been high for minutes.
    """
    row, unit = series.rows[index], series.unit
    expected, minimum = row.band[0], series.minimum
    score, limit = row.numbers["score"] or 0.0, limit_of(settings.step, settings.alarm_budget)
    low, high, span = extremes_of(series, millis(decision["model_trained_at"]))
    margin = max(0.5 * max(1.0, DAY / max(span, 1_000)) * (high - low), minimum)
    since = episode_before(series.rows, index, settings.step)

    def by_effect(*parts):
        distance = row.value - expected
        if distance < 0:
            return "Normal", ("unusual, but on the harmless side of expected",)
        if distance < minimum:
            return "Normal", (
                f"unusual, but only {amount(distance, unit)} from expected; "
                f"less than {amount(minimum, unit)} is never an anomaly",)
        return "Anomaly", parts

    if row.value > high + margin:
        seen = f"{number_in_words(low)} to {amount(high, unit)}"
        return [by_effect(f"outside everything seen in training, {seen}")]
    by_score = by_effect(
        f" {number_in_words(score)} of 8 where {number_in_words(limit)} makes an anomaly")
    odd_now = is_odd_now(row, decision)
    if score >= limit and odd_now:
        return [by_score]
    reasons = [by_score] if score >= limit and odd_now is None else []
    if is_outside(row) and since is not None and row.time - since < max(3_600_000, 20 * settings.step):
        reasons.append(by_effect("back within what is expected", f"since {in_words(since)}"))
    elif score >= limit:
        reasons.append(("Normal", ("the samples before it were unusual",)))
    else:
        reasons.append(("Normal", ("within what the series usually does",)))
    if is_outside(row) and off_season_max(series, index, settings.step) >= OFF_SEASON:
        reasons.append(by_effect("for minutes as odd for this time of day"))
    return reasons


def is_odd_now(row, decision):
    """Whether the row itself is odd for its time of day; None if the answer tells of another row."""
    if time_of(decision, "components_ts") != row.time:
        return None
    rarities = [c["rarity"] for c in decision["components"] if c["name"] == "season"]
    return not rarities or rarities[0] >= ODD_FROM


def off_season_max(series, index, step):
    """The largest that the smoothed rarity for the time of day can be, since it was last 0."""
    judged = 0
    while judged <= index and series.features(index - judged) is not None:
        judged += 1
    return RARITY_MAX * (1 - 0.5 ** (judged * step / max(OFF_SEASON_HALF_LIFE, 3 * step)))


def number_in_words(value):
    if abs(value) >= 100 or value == int(value):
        whole = math.floor(abs(value) + 0.5)
        return f"{-whole if value < 0 else whole:,}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def amount(value, unit):
    return f"{number_in_words(value)} {unit}".rstrip()


def in_words(time):
    """Milliseconds since the epoch as RFC 3339."""
    text = (EPOCH + datetime.timedelta(milliseconds=time)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


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

    def holds(self, what, condition):
        if not condition:
            self.differences.append(what)

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


def check_row(check, answer, series, index, settings):
    """The answer's row and decision against a row of the file and what follows from it."""
    view, decision, row = answer["row"] or {}, answer["decision"], series.rows[index]
    severity = severity_of(row.value, series.thresholds)
    check.same("row.timestamp", time_of(view, "timestamp"), row.time)
    check.same("row.part", view.get("part"), row.part)
    check.same("decision.sample_ts", time_of(decision, "sample_ts"), row.time)
    for name, side in (("row", view), ("decision", decision)):
        check.close(f"{name}.value", side.get("value"), row.value)
        check.same(f"{name}.severity", side.get("severity"), severity)
        check.same(f"{name}.prediction", side.get("prediction"), row.prediction)
        check.close(f"{name}.score", side.get("score"), row.numbers["score"])
        for bound, value in zip(("expected", "lower", "upper"), row.band):
            check.close(f"{name}.{bound}", side.get(bound), value)
    check.same("severity in the file", row.severity, severity)
    features, answered = series.features(index), view.get("features")
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
    check_prediction(check, decision, series, index, settings)
    check_score(check, decision, series, index)


def check_prediction(check, decision, series, index, settings):
    """What the model says and why, and the limit of the score."""
    row = series.rows[index]
    if decision["model"] is None or series.features(index) is None:
        silence = "there was no model" if decision["model"] is None else "too few samples"
        check.same("prediction in the file", row.prediction, "Unknown")
        check.same("score in the file", row.numbers["score"], None)
        check.same("score_limit", decision["score_limit"], None)
        check.holds(f"it doesn't say: {silence}", any(
            sentence.startswith(silence) for sentence in decision["why"]))
        return
    check.close("score_limit", decision["score_limit"], limit_of(settings.step, settings.alarm_budget))
    reasons = reasons_of(series, index, settings, decision)
    check.holds(
        f"prediction: {row.prediction} in the file, computed {reasons}",
        row.prediction in [prediction for prediction, _ in reasons])
    model = f"model {decision['model']} of {decision['model_trained_at']} says {row.prediction}: "
    said = [sentence for sentence in decision["why"] if sentence.startswith(model)]
    check.holds(f"reason: answered {said}, computed {reasons}", len(said) == 1 and any(
        prediction == row.prediction and all(part in said[0] for part in parts)
        for prediction, parts in reasons))


def check_score(check, decision, series, index):
    """The score, from the judges' rarities and the score of the row before."""
    row, judges = series.rows[index], decision["components"]
    first = [i for i, r in enumerate(series.rows) if r.time == time_of(decision, "components_ts")]
    check.same("rows at components_ts", len(first), 1)
    names = [one["name"] for one in judges]
    check.same("components", names, [name for name in JUDGES if name in names])
    for one in judges:
        check.holds(f"{one} is no rarity", 0 <= one["rarity"] <= RARITY_MAX)
        check.same(f"{one['name']} speaks", one["speaks"], one["rarity"] >= SPEAKS_FROM)
        check.holds(f"{one} is no statistic", 0 <= one["statistic"] and (
            one["name"] != "forest" or one["statistic"] <= 1))
    for place in first:
        score, before = series.rows[place].numbers["score"], score_before(series, place)
        check.same("has a score", score is not None, bool(judges))
        if score is None or not judges:
            continue
        newest = SHARE_OF_NEWEST * sum(one["rarity"] for one in judges) / len(judges)
        if before is not None:
            check.close("score in the file", score, newest + (1 - SHARE_OF_NEWEST) * before)
        else:
            check_within(check, score, newest, newest + (1 - SHARE_OF_NEWEST) * RARITY_MAX)
    score, before = row.numbers["score"], score_before(series, index)
    if score is None:
        return
    spoke = [JUDGES.get(one["name"]) for one in judges if one["speaks"]]
    # Of the others no more is known than that they were silent, at most all six were there.
    lowest = SPEAKS_FROM * len(spoke) / len(JUDGES)
    highest = RARITY_MAX if spoke else SPEAKS_FROM
    kept = 1 - SHARE_OF_NEWEST
    check_within(
        check, score,
        SHARE_OF_NEWEST * lowest + kept * (before or 0.0),
        SHARE_OF_NEWEST * highest + kept * (RARITY_MAX if before is None else before))
    limit = decision["score_limit"] or 0.0
    # A reason that says the score and its limit says them instead.
    told = f" {number_in_words(score)} of 8 where {number_in_words(limit)} makes an anomaly"
    sentence = (
        "" if any(told in each for each in decision["why"]) else
        f"its score is {number_in_words(score)} of 8, against a limit of {number_in_words(limit)}; ")
    said = [each for each in decision["why"] if each.startswith(f"{sentence}called rare")]
    check.same(f"sentences like '{sentence}called rare'", len(said), 1)
    for each in said:
        check.same("judges in the sentence", [title for title in JUDGES.values() if title in each], spoke)


def check_within(check, score, lowest, highest):
    check.holds(
        f"score in the file: {score!r} isn't within {lowest!r} to {highest!r}",
        lowest - TOLERANCE <= score <= highest + TOLERANCE)


def check_moment(answer, settings, times):
    """The differences of one answer, its verdict as computed, and the row it rests on."""
    check = Check()
    series = Series(answer, settings)
    rows, thresholds = series.rows, series.thresholds
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
    check_row(check, answer, series, index, settings)
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
    parser.add_argument("--minimum-deviation", action="append", required=True, metavar="METRIC=DEVIATION")
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
    pairs = (text.partition("=") for text in settings.minimum_deviation)
    settings.minimum_deviation = {metric: float(deviation) for metric, _, deviation in pairs}
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
