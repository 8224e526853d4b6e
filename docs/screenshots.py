"""Makes the page that docs/reports.md shows: a mixed plan of examples/web-shop; with a Chromium, its pictures, too.

python docs/screenshots.py OUT.html            the page alone
python docs/screenshots.py OUT.html CHROMIUM   and the pictures, into docs/images
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from e2e_kit import Folder  # noqa: E402

from qase_iac.emulator import create_app, load_seed  # noqa: E402
from qase_iac.plan.planfile import seal  # noqa: E402
from qase_iac.render import render  # noqa: E402

SHOTS = {
    "report-light.png": (1120, 1180, 0, "light"),
    "report-dark.png": (1120, 830, 1249, "dark"),
    "report-phone.png": (390, 780, 2310, "light"),
}
"""Picture -> width, height, from which line of the page on, colour scheme."""
FRAME = """<!doctype html><body style="margin:0"><div style="width:{width}px;height:{height}px;overflow:hidden">
<iframe src="{page}" style="width:{width}px;height:6000px;border:0;margin-top:-{top}px"></iframe></div>"""
STEPS = "    steps: [Choose invoice, Confirm the address, Place the order]\n"
NEW_STEPS = """    severity: major
    steps:
      - Choose invoice
      - Place the order
      - action: Confirm the billing address
        expected: The address is shown as it will be printed
      - action: Look into the mail box
        expected: An invoice with a due date in 14 days has arrived
"""


def mixed(folder: Folder) -> Folder:
    """The example after its first apply, edited on both sides."""
    folder.applied()
    qase = folder.app.ui
    qase.edit("SHOP", "case", folder.id_of("case.sign-up"), title="Sign up (old form)")
    qase.edit("SHOP", "case", folder.id_of("case.two-factor"), title="Two-factor sign-in with an app")
    folder.edit("accounts/two-factor.case.yaml", "title: Two-factor sign-in", "title: Two-step sign-in")
    folder.edit("checkout/cases.yaml", "title: Pay by invoice", "title: Pay by invoice within 14 days")
    folder.edit("checkout/cases.yaml", STEPS, NEW_STEPS)
    folder.edit("catalog/cases.yaml", "    title: Compare two products\n    status: deprecated\n", "")
    folder.edit("catalog/cases.yaml", "  compare-products:\n", "")
    folder.edit("shared-steps.yaml", "expected: The form is shown", "expected: The form is shown and has the focus")
    folder.edit("support/cases.yaml", "  contact-form:\n", "  contact-form:\n    suite: accounts\n")
    voucher = (
        "cases:\n  gift-card-expired:\n    title: An expired gift card is refused\n    tags: [payments]\n    steps:\n"
    )
    step = "      - action: Enter a gift card of last year\n        expected: It is refused, with its date\n"
    return folder.write({"checkout/gift-cards.yaml": voucher + step})


def main(out: Path, chromium: str | None) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "web-shop"
        shutil.copytree(ROOT / "examples" / "web-shop", root, ignore=shutil.ignore_patterns(".qase-iac"))
        ticks = iter(range(1795392000, 1895392000))
        app = create_app(seed=load_seed(root / "emulator-seed.yaml"), clock=lambda: float(next(ticks)))
        folder = mixed(Folder(root, app))
        plan = seal(folder.plan())
        out.write_text(render(plan, "html"), encoding="utf-8")
        app.close()
        if chromium:
            for name, (width, height, top, scheme) in SHOTS.items():
                frame = Path(place) / "frame.html"
                frame.write_text(FRAME.format(width=width, height=height, top=top, page=out.resolve().as_uri()))
                shoot(chromium, frame, ROOT / "docs" / "images" / name, f"{width},{height}", scheme, place)


def shoot(chromium: str, page: Path, picture: Path, size: str, scheme: str, profile: str) -> None:
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    command = [chromium, *options, *dark, f"--window-size={size}", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
