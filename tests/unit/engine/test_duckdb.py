import pytest

from backbone.engine.duckdb.engine import DuckDBEngine


def test_a_session_that_can_not_be_ended_hides_no_error():
    engine = DuckDBEngine()

    def fail():
        with engine.session():
            engine.connection.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
