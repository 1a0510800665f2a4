#!/bin/bash
# Bootstrap action of a notebook's cluster: an environment with the notebooks' packages, and the kernel "Churn" that runs in
# it. Arguments: S3 URI of the lock file, S3 URI of the module that reads the lake, database, workgroup,
# Region.
set -euo pipefail

lock_uri="$1"
module_uri="$2"
database="$3"
workgroup="$4"
region="$5"
folder=/opt/churn/notebook
work="$(mktemp -d)"

command -v python3.11 >/dev/null || sudo dnf install --assumeyes python3.11

aws s3 cp --only-show-errors "$lock_uri" "$work/requirements.lock"
aws s3 cp --only-show-errors "$module_uri" "$work/churn_lake.py"
sudo mkdir -p /opt/churn
sudo python3.11 -m venv "$folder"
sudo "$folder/bin/python" -m pip install --quiet --require-hashes --only-binary :all: -r "$work/requirements.lock"
sudo install -m 644 "$work/churn_lake.py" "$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
# Where Jupyter looks for the kernels of a machine, whichever environment it runs in.
sudo "$folder/bin/python" -m ipykernel install --name churn --display-name Churn \
  --env CHURN_DATABASE "$database" --env CHURN_WORKGROUP "$workgroup" --env AWS_DEFAULT_REGION "$region"
rm -r "$work"

# A package that is missing is better found now than in the first cell.
"$folder/bin/python" -c 'import boto3, churn_lake, matplotlib, pandas, seaborn'
