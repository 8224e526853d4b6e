"""`python -m qase_iac`."""

from qase_iac.cli.main import run

if __name__ == "__main__":
    run()
