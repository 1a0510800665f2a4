"""Prints the files of the packages that a step's imports and XGBoost's exchange with Spark load, one a line.

Arguments: import statements. An audit hook sees every file that Python opens; libraries are seen in the memory map.
"""

import pathlib
import sys
import sysconfig

PACKAGES = pathlib.Path(sysconfig.get_path("purelib")).resolve()
opened: set[str] = set()


def record(event: str, arguments: tuple[object, ...]) -> None:
    """Keeps the path of every file that is opened."""
    if event == "open" and isinstance(arguments[0], str):
        opened.add(arguments[0])


sys.addaudithook(record)

for statement in sys.argv[1:]:
    exec(statement)  # noqa: S102

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyspark.sql.pandas.serializers  # noqa: E402, F401
import xgboost as xgb  # noqa: E402
from scipy import sparse  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

inputs = np.random.default_rng(1).normal(size=(200, 3))
labels = (inputs[:, 0] > 0).astype(int)
LogisticRegression().fit(inputs, labels).predict_proba(inputs)
booster = xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(sparse.csr_matrix(inputs), labels), 2)
booster.predict(xgb.DMatrix(inputs))
booster.save_raw("json")

# Between the JVM and Python's workers, rows travel as Arrow's stream.
frame = pd.DataFrame({"label": labels, "features": list(inputs)})
batch = pa.RecordBatch.from_pandas(frame)
sink = pa.BufferOutputStream()
with pa.ipc.new_stream(sink, batch.schema) as writer:
    writer.write_batch(batch)
pa.ipc.open_stream(sink.getvalue()).read_all().to_pandas()

loaded = opened | {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
maps = pathlib.Path("/proc/self/maps")
if maps.exists():
    loaded |= {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if len(line.split(maxsplit=5)) > 5}
for path in sorted(loaded):
    file = pathlib.Path(path).resolve()
    if file.is_file() and file.is_relative_to(PACKAGES):
        print(file.relative_to(PACKAGES).as_posix())
