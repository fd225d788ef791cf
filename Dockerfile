# One image for every process. What it runs is told by its command: docs/deploying.md lists them.
# Debian and not Alpine: typst, which sets PDFs, has no wheel for musl.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements-image.txt ./
# Wheels only, each with the hash that the lock names: nothing is compiled, and nothing runs while it is installed.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: --no-compile -r requirements-image.txt
COPY . ./
# Bytecode without the times of files in it, so that the same sources give the same layer.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib /app

FROM python:3.13-slim-trixie
ARG VERSION="" REVISION="" SOURCE="" CREATED="1970-01-01T00:00:00Z"
LABEL org.opencontainers.image.title="webapi" \
      org.opencontainers.image.description="Flask takes the request, Celery does the work, SQL remembers it." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"
# A user without a name, so that a platform can see that it is not root; the folder is that of files.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/webapi
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH="/opt/venv/bin:${PATH}" \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WEBAPI_ENV=production \
    PORT=5000 \
    STORAGE_URL=/var/lib/webapi \
    SCRATCH_PATH=/var/lib/webapi/scratch
USER 10001:10001
EXPOSE 5000
# The web server's; who runs another command says how that one is looked at, or that it is not.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "webapi.serve", "--host", "0.0.0.0"]
