"""The cached state: whoever writes it last, it is whole."""

from pathlib import Path

from backbone.runs.state import State, read_state, write_state


def test_another_run_that_writes_it_at_the_same_time_takes_nothing_away(tmp_path, monkeypatch):
    path, write = tmp_path / "state.json", Path.write_text
    one, other = State("lake", 1, {}), State("lake", 2, {})

    def write_and_be_overtaken(self, text):
        write(self, text)
        monkeypatch.setattr(Path, "write_text", write)
        write_state(path, other)
        assert read_state(path) == other

    monkeypatch.setattr(Path, "write_text", write_and_be_overtaken)
    write_state(path, one)

    assert read_state(path) == one
    assert list(tmp_path.iterdir()) == [path]
