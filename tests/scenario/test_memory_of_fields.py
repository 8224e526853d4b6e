"""What Qase must be asked for does not depend on what the files still name: the state may know more."""

from __future__ import annotations

from pathlib import Path

from e2e_kit import Folder, actions, qase_yaml

from qase_iac.emulator import create_app


def test_the_last_case_with_a_member_in_a_field_can_be_taken_out(tmp_path: Path) -> None:
    seed = {
        "custom_fields": [{"title": "Owner", "entity": "case", "type": "user", "projects": None}],
        "users": [{"name": "Ann", "email": "ann@example.org"}],
    }
    app = create_app(strict=True, seed=seed)
    cases = "cases:\n  keep: {title: K}\n  a: {title: A, custom_fields: {Owner: ann@example.org}}\n"
    (tmp_path / "shop").mkdir()
    shop = Folder(tmp_path / "shop", app).write(
        {"qase.yaml": qase_yaml(policy={"max_delete_share": 1}), "a.yaml": cases}
    )
    shop.applied()
    shop.write({"a.yaml": "cases:\n  keep: {title: K}\n"})
    assert actions(shop.plan()) == {"case.a": "delete"}
    shop.applied()
