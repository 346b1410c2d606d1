"""Drawings that are looked at together travel together."""

from __future__ import annotations

from bench.report.html.figure import Drawing, Twin, payload


def drawing(id_: str) -> Drawing:
    """One with a point."""
    return Drawing(
        id=id_,
        payload="p",
        figure={"data": [{"y": [1]}], "layout": {"height": 9}},
        label="what it is",
        caption="how to read it",
        twin=Twin(row_head="n", head=("1",), rows=(("a", ("2",)),)),
        wide=True,
    )


def test_a_payload_has_each_figure_with_its_table() -> None:
    """By the ids of the drawings."""
    found = payload("p", [drawing("one"), drawing("other")])
    assert found.id == "p"
    assert list(found.value) == ["one", "other"]
    assert found.value["one"]["figure"]["data"] == [{"y": [1]}]
    assert found.value["one"]["twin"]["rows"] == (("a", ("2",)),)
