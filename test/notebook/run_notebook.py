"""Runs a notebook without a browser, as its kernel does, and prints the named data frames and the number of figures as JSON."""

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

notebook_file, *names = sys.argv[1:]
notebook = nbformat.read(notebook_file, as_version=4)
frames = ", ".join(f"{name!r}: json.loads({name}.reset_index(drop=True).to_json(orient='records'))" for name in names)
notebook.cells.append(nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({{{frames}}}))"))
client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(Path(notebook_file).parent)}})
client.execute()
figures = sum(
    "image/png" in output.get("data", {})
    for cell in notebook.cells
    if cell.cell_type == "code"
    for output in cell.outputs
)
printed = "".join(output.text for output in notebook.cells[-1].outputs if output.output_type == "stream")
print(json.dumps({"figures": figures, "frames": json.loads(printed)}))
