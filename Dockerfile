# qase-iac with what the git and s3 backends need. Mount the repository, since the git backend looks at it:
#   docker run --rm -v "$PWD:/work" -e QASE_TESTOPS_API_TOKEN qase-iac --chdir qase plan
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY qase_iac qase_iac
RUN python -m venv /opt/qase-iac \
 && /opt/qase-iac/bin/pip install --no-cache-dir --disable-pip-version-check ".[s3]"

FROM python:3.11-slim
# tini hands on SIGTERM and SIGINT, which a first process would not get: an apply then ends after the call in flight.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
 && rm -rf /var/lib/apt/lists/* \
 && git config --system --add safe.directory '*' \
 && useradd --uid 10001 --create-home qase
COPY --from=build /opt/qase-iac /opt/qase-iac
ENV PATH=/opt/qase-iac/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /work
ENTRYPOINT ["tini", "--", "qase-iac"]
