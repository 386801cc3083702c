"""The data of `make bench`, and the same work done by pandas, scikit-learn and isotree.

    python3 bench_sklearn.py data FOLDER [SAMPLES]    # needs no package
    python3 bench_sklearn.py measure FOLDER           # needs pandas and scikit-learn; prints one line of JSON
    python3 bench_sklearn.py forests FOLDER [MODELS]  # needs scikit-learn; a line for it and one for isotree, if there
    python3 bench_sklearn.py retrain FOLDER           # needs scikit-learn; prints one line of JSON

`data` writes little-endian files: day.f64 and later.f64, the values of one series at 15 s, a calm day and a later
stretch with anomalies; train.f64 (5,760 rows) and test.f64, the five features of each of their samples, row-major, as
crates/detect/src/featurise.rs defines them; labels.u8, one byte a test row: whether it lies in an anomaly.

`forests` prints what crates/forest/examples/forest_json.rs prints of ours; MODELS (100) is how many are scored in turn,
one row each in random order. It leaves scikit-learn's score of each test row in sklearn.f64.

`retrain` fits the rows of retrain.f64 (as crates/detect/examples/whole_detector.rs writes them) with a contamination of
0.01, for which the rows are scored and a quantile of their scores is taken.
"""

import array
import importlib.metadata
import json
import math
import os
import pickle
import random
import sys
import time

STEP_SECONDS = 15
DAY_SAMPLES = 86_400 // STEP_SECONDS
LATER_SAMPLES = 20_000
SAMPLES_PER_ANOMALY = 333
WINDOW = 20  # samples before: five minutes
WINDOW_MIN = 5  # with fewer there is no row


def main():
    jobs = {"data": write_data, "measure": measure, "forests": forests, "retrain": retrain}
    takes_number = sys.argv[1:2] in (["data"], ["forests"])
    if len(sys.argv) < 3 or sys.argv[1] not in jobs or len(sys.argv) not in ((3, 4) if takes_number else (3,)):
        sys.exit(__doc__)
    jobs[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))


def write_data(folder, samples=LATER_SAMPLES):
    os.makedirs(folder, exist_ok=True)
    source = random.Random(7)
    # The first samples make no rows, so a day of rows takes a few samples more.
    day, _ = series(source, DAY_SAMPLES + WINDOW_MIN, 0)
    later, labels = series(source, samples, samples // SAMPLES_PER_ANOMALY)
    for name, values in [
        ("day", day),
        ("later", later),
        ("train", features(day)),
        ("test", features(later)),
    ]:
        write_doubles(f"{folder}/{name}.f64", values)
    with open(f"{folder}/labels.u8", "wb") as file:
        file.write(bytes(labels[WINDOW_MIN:]))


def write_doubles(path, values):
    doubles = array.array("d", values)
    if sys.byteorder == "big":
        doubles.byteswap()
    with open(path, "wb") as file:
        doubles.tofile(file)


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
    one_thread()
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


def forests(folder, models=100):
    """100 trees of 256 rows each, one thread."""
    one_thread()
    import numpy as np
    import sklearn
    from sklearn.ensemble import IsolationForest

    train = np.fromfile(f"{folder}/train.f64", "<f8").reshape(-1, 5)
    data = np.fromfile(f"{folder}/test.f64", "<f8").reshape(-1, 5), np.fromfile(f"{folder}/labels.u8", np.uint8)

    def fit(seed=1):
        return IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(train)

    def score(model, rows):
        return -model.score_samples(rows)

    reference = measure_forest("scikit-learn", sklearn.__version__, fit, score, data, models, None)
    write_doubles(f"{folder}/sklearn.f64", reference)
    try:
        import isotree
    except ImportError:
        return

    def fit_isotree(seed=1):
        # As the paper has it: single splits by chance, to the height limit.
        return isotree.IsolationForest(
            ntrees=100, sample_size=256, ndim=1, ntry=1, max_depth=8, nthreads=1, missing_action="fail",
            standardize_data=False, random_seed=seed,
        ).fit(train)  # fmt: skip

    version = importlib.metadata.version("isotree")
    measure_forest("isotree", version, fit_isotree, lambda model, rows: model.predict(rows), data, models, reference)


def retrain(folder):
    one_thread()
    import numpy as np
    import sklearn
    from sklearn.ensemble import IsolationForest

    rows = np.fromfile(f"{folder}/retrain.f64", "<f8").reshape(-1, 5)

    def fit():
        return IsolationForest(n_estimators=100, max_samples=256, contamination=0.01, random_state=1).fit(rows)

    figures = {"name": "scikit-learn", "retrain_ms": round(1e3 * best(fit, 5), 4), "rows": len(rows)}
    print(json.dumps(figures | {"version": sklearn.__version__}, separators=(",", ":")))


def measure_forest(name, version, fit, score, data, models, reference):
    """Prints one line of JSON; the score of each test row."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    test, labels = data
    model = fit()
    scores = score(model, test)
    rows = [test[i : i + 1] for i in range(max(models, 20))]
    few = rows[:20]
    figures = {
        "fit_ms": 1e3 * best(fit, 5),
        "score_1_us": 1e6 / 20 * best(lambda: [score(model, row) for row in few], 5),
        "score_1k_ms": 1e3 * best(lambda: score(model, test[:1000]), 5),
        "score_100k_ms": 1e3 * best(lambda: score(model, test), 3),
        "cold_models": models,
        "cold_1_us": 1e6 * cold(fit, score, rows[:models]) if models else None,
        "pickle_bytes": len(pickle.dumps(model)),
        "auc": roc_auc_score(labels, scores),
        "spearman_vs_sklearn": None if reference is None else spearmanr(reference, scores)[0],
    }
    rounded = {key: round(float(f), 4) if isinstance(f, float) else f for key, f in figures.items()}
    print(json.dumps({"name": name} | rounded | {"version": version}, separators=(",", ":")), flush=True)
    return scores


def cold(fit, score, rows):
    """CPU time a row, where each model scores one row, in a new random order each time."""
    models = [fit(seed) for seed in range(len(rows))]
    order = list(range(len(rows)))
    source, least = random.Random(7), math.inf
    for _ in range(3):
        source.shuffle(order)
        least = min(least, best(lambda: [score(models[i], rows[i]) for i in order], 1))
    return least / len(rows)


def one_thread():
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[threads] = "1"


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
