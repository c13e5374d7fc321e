"""Asks an application through its framework's own test client, without any server: in_process.py FRAMEWORK."""

import json
import sys

framework = sys.argv[1]
asked = [("POST", "/orders/3/items"), ("GET", "/fails"), ("GET", "/api/stream"), ("GET", "/none")]
if framework == "flask":
    from flask_app import application

    client = application.test_client()
elif framework == "django":
    import django_app  # noqa: F401 - it sets Django up
    from django.test import Client

    client = Client(raise_request_exception=False)
else:
    from starlette.testclient import TestClient

    module = __import__(f"{framework}_app")
    client = TestClient(module.application, raise_server_exceptions=False)
answers = []
for method, target in asked:
    response = client.open(target, method=method) if framework == "flask" else client.generic(method, target) \
        if framework == "django" else client.request(method, target)  # fmt: skip
    if framework == "django" and response.streaming:
        b"".join(response.streaming_content)
    answers.append([method, target, response.status_code])
print(json.dumps(answers))
