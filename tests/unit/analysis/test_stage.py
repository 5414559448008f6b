import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["backbone.analysis.steps", "backbone.analysis.stage"])
def test_planning_imports_nothing_dear(module: str) -> None:
    code = (
        f"import sys, {module}\nloaded = {{m.partition('.')[0] for m in sys.modules}}\n"
        "print(sorted(loaded & {'sklearn', 'pandas', 'numpy', 'sqlglot', 'duckdb'}))"
    )
    assert python(code) == "[]\n"


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys\nsys.modules['skops'] = None\nfrom backbone.analysis.stage import _stager\n"
        "from backbone.errors import MissingExtraError\n"
        "try:\n    _stager('regression', 'train')\nexcept MissingExtraError as error:\n    print(error)"
    )
    assert python(code) == "Training and predicting needs an extra. Install it: pip install 'backbone[ml]'\n"


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
