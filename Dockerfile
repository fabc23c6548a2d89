# docker build -t artnet .  (also what a Hugging Face Space of the kind Docker builds)
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 artnet
WORKDIR /home/artnet
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY src src
COPY examples/*.jpg examples/
RUN pip install --no-cache-dir . && rm -rf src examples
USER artnet
ENV XDG_CACHE_HOME=/tmp/cache
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["artnet", "app", "--host", "0.0.0.0", "--port", "7860", "--logs", "json"]
