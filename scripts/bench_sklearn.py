"""The data of `make bench`, and the same work done by pandas and scikit-learn.

    python3 bench_sklearn.py data FOLDER       # needs no package
    python3 bench_sklearn.py measure FOLDER    # needs pandas and scikit-learn; prints one line of JSON

`data` writes little-endian files: day.f64 and later.f64, the values of one series at 15 s, a calm day and a later
stretch with anomalies; train.f64 (5,760 rows) and test.f64, the five features of each of their samples, row-major, as
crates/detect/src/featurise.rs defines them; labels.u8, one byte a test row: whether it lies in an anomaly.
"""

import array
import json
import math
import os
import random
import sys
import time

STEP_SECONDS = 15
DAY_SAMPLES = 86_400 // STEP_SECONDS
LATER_SAMPLES = 20_000
ANOMALIES = 60
WINDOW = 20  # samples before: five minutes
WINDOW_MIN = 5  # with fewer there is no row


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("data", "measure"):
        sys.exit(__doc__)
    if sys.argv[1] == "data":
        write_data(sys.argv[2])
    else:
        measure(sys.argv[2])


def write_data(folder):
    os.makedirs(folder, exist_ok=True)
    source = random.Random(7)
    # The first samples make no rows, so a day of rows takes a few samples more.
    day, _ = series(source, DAY_SAMPLES + WINDOW_MIN, 0)
    later, labels = series(source, LATER_SAMPLES, ANOMALIES)
    for name, values in [
        ("day", day),
        ("later", later),
        ("train", features(day)),
        ("test", features(later)),
    ]:
        doubles = array.array("d", values)
        if sys.byteorder == "big":
            doubles.byteswap()
        with open(f"{folder}/{name}.f64", "wb") as file:
            doubles.tofile(file)
    with open(f"{folder}/labels.u8", "wb") as file:
        file.write(bytes(labels[WINDOW_MIN:]))


def series(source, samples, anomalies):
    """A daily wave with noise that remembers; spikes, level shifts and ramps where there are anomalies."""
    values, noise = [], 0.0
    for i in range(samples):
        noise = 0.9 * noise + source.gauss(0, 1.5)
        wave = 12 * math.sin(i * STEP_SECONDS / 86_400 * math.tau)
        values.append(25 + wave + noise + source.gauss(0, 1))
    labels = [0] * samples
    for i in range(anomalies):
        at, size = source.randrange(50, samples - 50), source.uniform(20, 50)
        length = 1 if i % 3 == 0 else 20
        for k in range(length):
            values[at + k] += size * (k / length if i % 3 == 2 else 1)
            labels[at + k] = 1
    return [min(max(value, 0.0), 100.0) for value in values], labels


def features(values):
    rows = []
    for i in range(WINDOW_MIN, len(values)):
        before = values[max(0, i - WINDOW) : i]
        mean = sum(before) / len(before)
        std = math.sqrt(sum((value - mean) ** 2 for value in before) / len(before))
        zscore = (values[i] - mean) / max(std, 0.001 * max(abs(mean), 0.001))
        zscore = min(max(zscore, -50.0), 50.0)
        rows += [values[i], values[i] - values[i - 1], mean, std, zscore]
    return rows


def measure(folder):
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[threads] = "1"
    import numpy as np
    import pandas as pd
    import sklearn
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    train = np.fromfile(f"{folder}/train.f64", "<f8").reshape(-1, 5)
    test = np.fromfile(f"{folder}/test.f64", "<f8").reshape(-1, 5)
    labels = np.fromfile(f"{folder}/labels.u8", np.uint8)
    later = pd.Series(np.fromfile(f"{folder}/later.f64", "<f8"))

    def fit():
        return IsolationForest(n_estimators=100, max_samples=256, random_state=1).fit(train)

    def row_of(newest):
        """The newest sample's features, from the window before it."""
        before = newest.iloc[:-1].rolling(WINDOW, min_periods=WINDOW_MIN)
        value = newest.iloc[-1]
        mean, std = before.mean().iloc[-1], before.std(ddof=0).iloc[-1]
        zscore = (value - mean) / max(std, 0.001 * max(abs(mean), 0.001))
        delta = newest.diff().iloc[-1]
        return np.array([[value, delta, mean, std, min(max(zscore, -50.0), 50.0)]])

    model = fit()
    at = 1000
    assert np.allclose(row_of(later.iloc[at - WINDOW : at + 1])[0], test[at - WINDOW_MIN]), "other features"
    rows = [test[i : i + 1] for i in range(20)]
    windows = [later.iloc[i : i + WINDOW + 1] for i in range(20)]
    figures = {
        "fit_ms": 1e3 * best(fit, 5),
        "score_1_us": 1e6 / 20 * best(lambda: [model.score_samples(row) for row in rows], 5),
        "row_us": 1e6 / 20 * best(lambda: [model.score_samples(row_of(window)) for window in windows], 5),
        "auc": roc_auc_score(labels, -model.score_samples(test)),
    }
    figures = {"name": "scikit-learn"} | {name: round(figure, 4) for name, figure in figures.items()}
    versions = {"sklearn": sklearn.__version__, "pandas": pd.__version__}
    print(json.dumps(figures | versions, separators=(",", ":")))


def best(work, repeats):
    """The least CPU time in seconds."""
    least = math.inf
    for _ in range(repeats):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least


if __name__ == "__main__":
    main()
