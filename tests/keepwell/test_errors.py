from __future__ import annotations

from keepwell import errors


def exceptions() -> list[type[errors.KeepwellError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KeepwellError)]


def test_every_exception_has_its_own_exit_code() -> None:
    codes = [kind.exit_code for kind in exceptions()]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {0, 2}  # success, and click's word for wrong usage


def test_the_tree_on_top_of_the_module_names_every_exception_and_code() -> None:
    tree = {line.split()[0]: line for line in (errors.__doc__ or "").splitlines() if "Error" in line}
    for kind in exceptions():
        assert str(kind.exit_code) in tree[kind.__name__]


def test_a_data_error_names_table_column_rule_rows_example_and_way_out() -> None:
    error = errors.DataError("payments", "due_at", "must be a date", hint="write 2024-05-31", rows=1, example="soon")
    assert str(error) == "payments.due_at: must be a date (1 row, for example 'soon')\n  -> write 2024-05-31"


def test_a_data_error_of_a_whole_table_has_no_column_and_no_evidence() -> None:
    assert str(errors.DataError("payments", None, "is empty", hint="add rows")) == "payments: is empty\n  -> add rows"
