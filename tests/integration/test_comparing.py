"""`backbone add NAME` tells how what has landed differs from what is declared, in any file, by any spelling."""

from pathlib import Path

import backbone
from backbone.workspace import add


def test_every_landed_file_is_compared_and_named(tmp_path: Path) -> None:
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    for folder in ("sources", "data"):
        (tmp_path / folder).mkdir()
    columns = "{id: integer, amount: {type: integer, header: [Amount, price]}, note: text}"
    (tmp_path / "sources/sales.yml").write_text(f"from: data/*.csv\ncolumns: {columns}\n")
    (tmp_path / "data/1.csv").write_text("id,Amount,note,shop\n1,2,a,x\n")
    (tmp_path / "data/2.csv").write_text("id,price,note,shop\n1,2.5,a,x\n")
    (tmp_path / "data/3.csv").write_text("id,price,note\n1,2,b\n")
    backbone.open(tmp_path).run(select="formatted.sales")

    told = add(tmp_path, "sales", ())

    assert set(told.evidence) == {
        "new column: write shop: text (in 1.csv and 1 more)",
        "amount looks like float, not integer (in 2.csv)",
    }
    assert not told.written
