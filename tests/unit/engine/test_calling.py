import inspect
import sys

import pytest

from backbone.engine.calling import load_function, user_frames
from backbone.errors import UsageError


def written(root, files: dict[str, str]):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_a_function_may_import_the_projects_modules_at_any_time(tmp_path):
    root = written(
        tmp_path,
        {
            "exploitation/spent.py": "from tools.one import ONE\n\ndef spent(x):\n    from tools.two import TWO\n"
            "    return x + ONE + TWO\n",
            "tools/one.py": "ONE = 1\n",
            "tools/two.py": "TWO = 2\n",
        },
    )

    assert load_function(root, "exploitation/spent.py", "spent")(10) == 13
    assert not list(tmp_path.rglob("__pycache__"))
    assert str(root) not in sys.path


def test_changed_files_are_read_afresh(tmp_path):
    files = {"v.py": "from part import N\ndef v():\n    return N\n", "part.py": "N = 1\n"}
    assert load_function(written(tmp_path, files), "v.py", "v")() == 1

    written(tmp_path, {"part.py": "N = 22\n"})

    assert load_function(tmp_path, "v.py", "v")() == 22


def test_a_loaded_function_keeps_its_signature_and_names(tmp_path):
    root = written(
        tmp_path,
        {"v.py": "from __future__ import annotations\nimport pathlib as p\n\ndef v(a: p.Path) -> int:\n    'Doc.'\n"},
    )

    function = load_function(root, "v.py", "v")

    assert inspect.signature(function).parameters["a"].annotation == "p.Path"
    assert function.__globals__["p"].__name__ == "pathlib"
    assert (function.__name__, function.__doc__) == ("v", "Doc.")


def test_a_file_without_the_function_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"v\.py has no function 'w'"):
        load_function(written(tmp_path, {"v.py": "def v(): pass\n"}), "v.py", "w")


def test_only_peoples_frames_are_shown(tmp_path):
    root = written(
        tmp_path,
        {"v.py": "import json\n\ndef v():\n    return _inner()\n\ndef _inner():\n    return json.loads('{')\n"},
    )

    with pytest.raises(ValueError, match="Expecting") as raised:
        load_function(root, "v.py", "v")()

    shown = user_frames(raised.value)
    assert "v.py" in shown
    assert "_inner" in shown
    assert "Expecting property name" not in shown  # the failure's own line says what it was
    assert "engine/calling.py" not in shown
    assert "decoder.py" not in shown


def test_what_people_print_stays_out_of_stdout(tmp_path, capsys):
    (tmp_path / "talk.py").write_text("def talk():\n    print('hello')\n")
    load_function(tmp_path, "talk.py", "talk")()
    assert capsys.readouterr() == ("", "hello\n")


def test_an_exit_is_an_error_of_the_step_and_ends_no_run(tmp_path):
    (tmp_path / "leave.py").write_text("import sys\n\ndef leave():\n    sys.exit(3)\n")
    with pytest.raises(RuntimeError, match=r"it called exit\(3\)"):
        load_function(tmp_path, "leave.py", "leave")()
