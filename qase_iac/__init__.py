"""Test repository as code for Qase: YAML in git, planned and applied through the REST API."""

__version__ = "0.1.0"
