#!/bin/bash
# Bootstrap action of the cluster: unpacks the Python packages of the Spark steps on every instance.
# Arguments: S3 URI of the archive, folder to unpack it into.
set -euo pipefail

archive_uri="$1"
folder="$2"
archive="$(mktemp --suffix .zip)"

# The packages are built for this version; EMR's image has it beside the system's own, older one.
command -v python3.11 >/dev/null || sudo dnf install --assumeyes python3.11

aws s3 cp --only-show-errors "$archive_uri" "$archive"
sudo mkdir -p "$folder"
sudo python3.11 -m zipfile --extract "$archive" "$folder"
sudo chmod -R a+rX "$folder"
rm "$archive"

# A package for another processor or Python is better found now than an hour into the run.
PYTHONPATH="$folder" python3.11 -c 'import numpy, pandas, pyarrow, sklearn, xgboost'
